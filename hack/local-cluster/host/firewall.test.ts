import { describe, expect, test } from 'vitest';
import { countRejects, rejectRules } from './firewall.ts';

const saved = `*filter
:OUTPUT ACCEPT [12:3400]
:SLIPWAY-REJECT - [0:0]
[12:3400] -A OUTPUT -j SLIPWAY-REJECT
[7:420] -A SLIPWAY-REJECT -o slipway-node -j RETURN
[2:120] -A SLIPWAY-REJECT -d 10.96.0.0/16 -j REJECT --reject-with icmp-port-unreachable
[0:0] -A SLIPWAY-REJECT -d 10.244.0.0/16 -j REJECT --reject-with icmp-port-unreachable
[3:180] -A SLIPWAY-REJECT -s 10.244.0.0/16 -j REJECT --reject-with icmp-port-unreachable
[9:900] -A KUBE-FIREWALL -d 10.0.0.0/8 -j REJECT --reject-with icmp-port-unreachable
COMMIT`;

describe('the firewall', () => {
  test('counts what its own rules rejected, and neither what they let pass nor what others rejected', () => {
    expect(countRejects(saved)).toBe(5);
  });

  test('counts nothing where there is no chain', () => {
    expect(countRejects('')).toBe(0);
  });

  test('lets packets pass on every device of the cluster before it rejects any', () => {
    const verdicts = rejectRules().map((rule) => rule.at(-1));
    expect(verdicts.lastIndexOf('RETURN')).toBeLessThan(verdicts.indexOf('REJECT'));
  });

  test('rejects what goes to services, pods and node, and everything that pods send out', () => {
    const rejected = rejectRules().filter((rule) => rule.includes('REJECT'));
    expect(rejected.map(([side, range]) => `${side} ${range}`)).toEqual([
      '-d 10.96.0.0/16',
      '-d 10.244.0.0/16',
      '-d 10.88.0.0/24',
      '-s 10.244.0.0/16',
    ]);
  });
});
