import { expect, test } from 'vitest';
import { quotaCores, wholeCores } from './cores.ts';

test.each([
  ['v2 without a limit', { cpuMax: 'max 100000\n' }, undefined],
  ['v2 with two and a half CPUs', { cpuMax: '250000 100000\n' }, 2.5],
  ['v1 without a limit', { quotaUs: '-1\n', periodUs: '100000\n' }, undefined],
  ['v1 with half a CPU', { quotaUs: '50000\n', periodUs: '100000\n' }, 0.5],
  ['no cgroup files', {}, undefined],
])('%s', (_what, files, cores) => {
  expect(quotaCores(files)).toBe(cores);
});

test.each([
  [2.5, 8, 2],
  [0.5, 8, 1],
  [16, 4, 4],
  [undefined, 3, 3],
])('a quota of %s on %s visible CPUs plans with %s', (quota, visible, cores) => {
  expect(wholeCores(quota, visible)).toBe(cores);
});
