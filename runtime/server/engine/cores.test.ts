import { expect, test } from 'vitest';
import { countCores, groupFolders } from './cores.ts';

const V2 = { '/proc/self/cgroup': '0::/kubepods/pod1/main\n' };
const V1 = { '/proc/self/cgroup': '4:memory:/pod1\n3:cpu,cpuacct:/pod1/main\n1:name=systemd:/\n' };

test.each<[string, Record<string, string>, number]>([
  ['no group at all', {}, 8],
  ['v2 without a limit', { ...V2, '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  ['v2 with two and a half CPUs at the root of its mount', { ...V2, '/sys/fs/cgroup/cpu.max': '250000 100000\n' }, 2],
  ['v2 with its own group below', { ...V2, '/sys/fs/cgroup/kubepods/pod1/main/cpu.max': '400000 100000\n' }, 4],
  [
    'v2 with a tighter group around',
    {
      ...V2,
      '/sys/fs/cgroup/kubepods/pod1/main/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/kubepods/cpu.max': '700000 100000\n',
    },
    3,
  ],
  ['v2 with less than one CPU', { ...V2, '/sys/fs/cgroup/cpu.max': '20000 100000\n' }, 1],
  ['v2 with more than the host', { ...V2, '/sys/fs/cgroup/cpu.max': '6400000 100000\n' }, 8],
  [
    'v1 without a limit',
    { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
    8,
  ],
  [
    'v1 at the root of its mount',
    { ...V1, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '350000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
    3,
  ],
  [
    'v1 with its own group below, under the other name of the mount',
    {
      ...V1,
      '/sys/fs/cgroup/cpu,cpuacct/pod1/main/cpu.cfs_quota_us': '100000\n',
      '/sys/fs/cgroup/cpu,cpuacct/pod1/main/cpu.cfs_period_us': '50000\n',
    },
    2,
  ],
])('node#59200, libuv#4146: %s: plans with what the tightest quota grants', async (_what, files, count) => {
  const cores = await countCores({ read: async (path) => files[path], visible: 8 });
  expect(cores.count).toBe(count);
});

test('says how it was found out', async () => {
  const files: Record<string, string> = { '/sys/fs/cgroup/cpu.max': '250000 100000\n' };
  const read = async (path: string) => files[path];
  expect((await countCores({ read, visible: 8 })).why).toBe('the CPU quota is 2.5 of 8 visible CPUs');
  expect((await countCores({ read: async () => undefined, visible: 3 })).why).toMatch(/^3 CPUs are visible/);
});

test('looks into the own group first and into the root last', () => {
  expect(groupFolders('0::/a/b\n', '')).toEqual(['/a/b', '/a', '']);
  expect(groupFolders('2:cpu:/x\n', '')).toEqual(['']);
  expect(groupFolders('0::/../..\n', '')).toEqual(['/../..', '/..', '']);
});
