import { run, succeeds } from '../command.ts';
import { network } from './settings.ts';

const CHAIN = 'SLIPWAY-REJECT';
const ranges = [network.serviceRange, network.podRange, network.nodeRange];

/** Devices that a packet to or from the cluster may leave by: our bridge, the pods' veth pairs, loopback. */
const inside = [network.bridge, 'veth+', 'lo'];

/**
 * Rules of our chain. Before kube-proxy knows a service, and after the cluster is down, a packet to a cluster address
 * would follow the default route out of the machine; pods have no business outside at all.
 */
export const rejectRules = (): string[][] => [
  ...inside.map((device) => ['-o', device, '-j', 'RETURN']),
  ...ranges.map((range) => ['-d', range, '-j', 'REJECT']),
  ['-s', network.podRange, '-j', 'REJECT'],
];

/** Packets that rules of our chain rejected, from the output of `iptables-save -c`. */
export const countRejects = (saved: string): number =>
  saved
    .split('\n')
    .map((line) => /^\[(\d+):\d+\] -A SLIPWAY-REJECT .*-j REJECT\b/.exec(line)?.[1])
    .reduce((sum, packets) => sum + Number(packets ?? 0), 0);

/**
 * Docker and other programs drop what is forwarded unless a rule accepts it. Service addresses have become pod addresses
 * by then.
 */
const betweenPods = ['FORWARD', '-s', network.podRange, '-d', network.podRange, '-j', 'ACCEPT'];

const iptables = (...args: string[]): Promise<string> => run('iptables', ['-w', '10', ...args]);

export async function raiseFirewall(): Promise<void> {
  if (!(await succeeds('iptables', ['-w', '10', '-n', '-L', CHAIN]))) await iptables('-N', CHAIN);
  for (const rule of rejectRules()) {
    if (!(await succeeds('iptables', ['-w', '10', '-C', CHAIN, ...rule]))) await iptables('-A', CHAIN, ...rule);
  }
  for (const hook of ['OUTPUT', 'FORWARD']) {
    // First in the hook, so that nothing another program accepts gets past it.
    if (!(await succeeds('iptables', ['-w', '10', '-C', hook, '-j', CHAIN])))
      await iptables('-I', hook, '1', '-j', CHAIN);
  }
}

/** Accepts packets between pods, whatever the machine does with other forwarded packets. */
export async function acceptPods(): Promise<void> {
  if (!(await succeeds('iptables', ['-w', '10', '-C', ...betweenPods]))) await iptables('-I', ...betweenPods);
}

export async function lowerFirewall(): Promise<void> {
  while (await succeeds('iptables', ['-w', '10', '-D', ...betweenPods]));
  for (const hook of ['OUTPUT', 'FORWARD']) {
    while (await succeeds('iptables', ['-w', '10', '-D', hook, '-j', CHAIN]));
  }
  await succeeds('iptables', ['-w', '10', '-F', CHAIN]);
  await succeeds('iptables', ['-w', '10', '-X', CHAIN]);
}

/** How many packets would have left the machine since the cluster came up; undefined when there is no firewall. */
export async function rejectedPackets(): Promise<number | undefined> {
  if (!(await succeeds('iptables', ['-w', '10', '-n', '-L', CHAIN]))) return undefined;
  return countRejects(await run('iptables-save', ['-c', '-t', 'filter']));
}
