import { expect, test } from 'vitest';
import { AT, after, pod } from '../../../test/trainingBuilders.ts';
import { acceleratorSeconds } from './held.ts';

const held = { count: 4, nodes: 2, startedAt: AT };

test('each pod counts from its kubelet’s start to its end, or to now', () => {
  const ended = pod({ startTime: AT, phase: 'Failed', exitCode: 1, finishedAt: '2026-01-01T00:00:10Z' });
  const runs = pod({ index: 1, startTime: '2026-01-01T00:00:30Z' });
  expect(acceleratorSeconds({ ...held, pods: [ended, runs] }, after(60))).toBe(4 * (10 + 30));
});

test('pods that are gone count as if all had run until now', () => {
  expect(acceleratorSeconds({ ...held, pods: [] }, after(60))).toBe(4 * 2 * 60);
});

test('a pod that no kubelet took on holds nothing, and a clock that is set back takes nothing away', () => {
  expect(acceleratorSeconds({ ...held, startedAt: undefined, pods: [pod({ phase: 'Pending' })] }, after(60))).toBe(0);
  expect(acceleratorSeconds({ ...held, pods: [pod({ startTime: AT })] }, after(-60))).toBe(0);
});
