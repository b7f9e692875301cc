import { describe, expect, test } from 'vitest';
import { parseProgress, progressStatus } from './progress.ts';

const SEEN = '2026-01-01T00:00:05Z';

describe('progress', () => {
  test('a full report becomes status with percent, decimal strings and a heartbeat in whole seconds', () => {
    const report = {
      step: 40,
      total: 100,
      epoch: 2,
      metrics: { loss: 0.123456789, accuracy: 0.9 },
      etaSeconds: 90,
      at: '2026-01-01T00:00:03.123Z',
    };
    expect(progressStatus(report, undefined, SEEN)).toEqual({
      step: 40,
      total: 100,
      epoch: 2,
      metrics: { accuracy: '0.9', loss: '0.123457' },
      eta: '1m30s',
      percent: '40%',
      lastHeartbeat: '2026-01-01T00:00:03Z',
    });
  });

  test.each([
    ['more steps than the total is 100%', { step: 11, total: 10 }, '100%'],
    ['99.9 % done is not done', { step: 999, total: 1000 }, '99%'],
    ['a total of zero has no percent', { step: 0, total: 0 }, undefined],
  ])('%s', (_name, report, want) => expect(progressStatus(report, undefined, SEEN).percent).toBe(want));

  test('a report without a time that says nothing new is no heartbeat', () => {
    const first = progressStatus({ step: 1, metrics: { loss: 1 } }, undefined, '2026-01-01T00:00:00Z');
    expect(progressStatus({ step: 1, metrics: { loss: 1 } }, first, SEEN)).toEqual(first);
    expect(progressStatus({ step: 2, metrics: { loss: 1 } }, first, SEEN).lastHeartbeat).toBe(SEEN);
  });

  test('a time that is none is as if it were not there', () => {
    expect(progressStatus({ step: 1, at: 'yesterday' }, undefined, SEEN).lastHeartbeat).toBe(SEEN);
  });

  test('at most 32 metrics are kept', () => {
    const metrics = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`m${i}`, i]));
    expect(Object.keys(progressStatus({ step: 1, metrics }, undefined, SEEN).metrics ?? {})).toHaveLength(32);
  });

  test.each(['', 'killed', '{"step":-1}', '{"step":"1"}', '[]', undefined])('%j is no progress document', (text) =>
    expect(parseProgress(text)).toBeUndefined(),
  );
});
