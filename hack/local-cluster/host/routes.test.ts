import { expect, test } from 'vitest';
import { takenRange } from './routes.ts';

const cases: Record<string, { route: string; range: string | undefined }> = {
  'the default route leads everywhere and into nothing': {
    route: 'default via 192.168.1.1 dev eth0',
    range: undefined,
  },
  'a neighbour of our ranges': { route: '10.97.0.0/16 dev wg0 scope link', range: undefined },
  'the very range': { route: '10.96.0.0/16 dev wg0 scope link', range: '10.96.0.0/16' },
  'a network that holds ours': { route: '10.88.0.0/16 dev cni-podman0 proto kernel', range: '10.88.0.0/24' },
  'a catch-all': { route: '10.0.0.0/8 via 10.1.1.1 dev tun0', range: undefined },
  'one address in ours': { route: '10.244.3.7 dev eth1', range: '10.244.0.0/16' },
  'a range marked as unreachable is in nobody’s use': { route: 'unreachable 10.244.0.0/16', range: undefined },
};

test.each(Object.entries(cases))('%s', (_name, { route, range }) => {
  expect(takenRange(`169.254.0.0/16 dev eth0\n${route}\n`)?.range).toBe(range);
});
