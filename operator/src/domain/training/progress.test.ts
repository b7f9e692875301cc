import { describe, expect, test } from 'vitest';
import { nonFiniteMetrics, type ProgressStatus, parseProgress, progressStatus } from './progress.ts';

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
      since: SEEN,
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

  test('since is when step or metrics last changed, whatever else the trainer goes on writing', () => {
    const at = (seconds: number) => `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`;
    const look = (seconds: number, report: Parameters<typeof progressStatus>[0], stored?: ProgressStatus) =>
      progressStatus({ ...report, at: at(seconds) }, stored, at(seconds));
    const first = look(1, { step: 1, metrics: { loss: 1 }, etaSeconds: 9 });
    const second = look(2, { step: 1, metrics: { loss: 1 }, etaSeconds: 8 }, first);
    expect(second).toMatchObject({ since: at(1), lastHeartbeat: at(2), eta: '8s' });
    expect(look(3, { step: 1, metrics: { loss: 0.9 } }, second).since).toBe(at(3));
    expect(look(3, { step: 2, metrics: { loss: 1 } }, second).since).toBe(at(3));
  });

  test('of a status that an older operator wrote, since is the last heartbeat', () => {
    expect(progressStatus({ step: 1 }, { step: 1, lastHeartbeat: '2025-12-31T00:00:00Z' }, SEEN).since).toBe(
      '2025-12-31T00:00:00Z',
    );
  });

  test('the source is named, and kept where the last words of the trainer name none', () => {
    const first = progressStatus({ step: 1, source: 'Post' }, undefined, SEEN);
    expect(first.source).toBe('Post');
    expect(progressStatus({ step: 2 }, first, SEEN).source).toBe('Post');
  });

  test('a metric that is no number stands as such, and is told', () => {
    const status = progressStatus({ step: 1, metrics: { lr: 1 }, nonFinite: { loss: 'NaN' } }, undefined, SEEN);
    expect(status.metrics).toEqual({ loss: 'NaN', lr: '1' });
    expect(nonFiniteMetrics(status)).toEqual(['loss']);
    expect(nonFiniteMetrics(undefined)).toEqual([]);
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
