import { expect, test } from 'vitest';
import { mentions } from './network.ts';

const chains = /^(KUBE-|CNI-)/;

test.each([
  [':KUBE-SERVICES - [0:0]', true],
  ['-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-X', true],
  ['-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', true],
  ['-A OUTPUT -j CNI-HOSTPORT-DNAT', true],
  [':PREROUTING ACCEPT [0:0]', false],
  ['-A PREROUTING -m comment --comment "about KUBE-SERVICES" -j ACCEPT', false],
  ['-A DOCKER -j MY-KUBE-LIKE', false],
  ['COMMIT', false],
])('a rule that is left over after the cluster is told from one of the machine: %s', (line, isOurs) => {
  expect(mentions(line, chains)).toBe(isOurs);
});
