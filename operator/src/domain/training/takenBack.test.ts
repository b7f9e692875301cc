import { describe, expect, test } from 'vitest';
import { childJob, pod } from '../../../test/trainingBuilders.ts';
import type { Job } from '../../api/builtin.ts';
import { cameAgain, withoutTakenBack } from './takenBack.ts';

const TRACKED = ['batch.kubernetes.io/job-tracking'];
const ends = (finalizers: string[]) => {
  const it = pod({ deleted: '2026-01-01T00:00:30Z' });
  return { ...it, metadata: { ...it.metadata, finalizers } };
};
const job = (over: Partial<Job> = {}): Job => ({ ...childJob('nightly-a0'), ...over });
const FAILED = { conditions: [{ type: 'Failed', status: 'True' }] };

describe('pods that end because a queue took their Job back', () => {
  test.each([
    ['are none of the gang that was let go meanwhile', job(), ends([]), 0],
    ['are those of a Job that it still holds', job({ spec: { suspend: true, template: {} } }), ends([]), 1],
    ['tell why a Job failed', job({ status: FAILED as Job['status'] & object }), ends([]), 1],
    ['differ from a pod that somebody deleted, which the Job controller still follows', job(), ends(TRACKED), 1],
    ['differ from a pod that lives', job(), pod(), 1],
  ])('%s', (_what, of, it, left) => {
    expect(withoutTakenBack(of, [it])).toHaveLength(left);
  });
});

test.each([
  [
    'a Job that started after its attempt had begun was let go again',
    '2026-01-01T00:05:00Z',
    '2026-01-01T00:00:00Z',
    true,
  ],
  ['a Job starts before its pods', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
  ['a Job that is held has no start', undefined, '2026-01-01T00:00:00Z', false],
  ['an attempt that has not begun can’t come again', '2026-01-01T00:00:00Z', undefined, false],
])('%s', (_what, startTime, begun, again) => {
  const started = startTime === undefined ? {} : { startTime };
  expect(cameAgain(job({ status: started }), begun)).toBe(again);
});
