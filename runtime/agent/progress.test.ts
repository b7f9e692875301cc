import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { postedProgress } from './kubeflow.ts';
import { readingOf } from './progress.ts';
import { pythonJson } from './pythonJson.ts';

describe('a progress document', () => {
  test.each([
    ['nothing', undefined, { kind: 'none' }],
    ['a report', '{"step": 3, "total": 10}', { kind: 'report', progress: { step: 3, total: 10 } }],
    [
      'half a file',
      '{"step": 3',
      { kind: 'invalid', sentence: 'progress.json is not JSON; write it whole, then rename.' },
    ],
    [
      'another document',
      '{"step": "three"}',
      {
        kind: 'invalid',
        sentence: 'progress.json is not a progress report: step: Invalid input: expected number, received string.',
      },
    ],
    [
      'a metric that is no number at all',
      '{"step": 3, "metrics": {"loss": "low"}}',
      { kind: 'invalid', sentence: expect.stringMatching(/^progress\.json is not a progress report: metrics\.loss: /) },
    ],
    [
      'metrics that are no finite number, as Python, JavaScript and a calculator write them',
      '{"step": 3, "metrics": {"a": -Infinity, "b": 1e999, "c": "NaN", "d": 2}}',
      {
        kind: 'report',
        progress: { step: 3, metrics: { d: 2 }, nonFinite: { a: '-Infinity', b: 'Infinity', c: 'NaN' } },
      },
    ],
    ['a source that the trainer claims', '{"step": 3, "source": "Log"}', { kind: 'report', progress: { step: 3 } }],
  ])('that is %s is read as such', (_what, text, want) => {
    expect(readingOf(text)).toEqual(want);
  });

  test('keeps 32 metrics, those that are no number counted', () => {
    const metrics = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`m${i}`, i % 2 === 0 ? i : 'NaN']));
    const reading = readingOf(JSON.stringify({ step: 1, metrics }));
    const { metrics: kept = {}, nonFinite = {} } = reading.kind === 'report' ? reading.progress : {};
    expect(Object.keys(kept).length + Object.keys(nonFinite).length).toBe(32);
  });

  test('is parsed as JSON wherever it is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(pythonJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe("kubeflow/trainer#2779: Kubeflow's progress POST", () => {
  const post = (trainerStatus: object, before?: Parameters<typeof postedProgress>[1]) =>
    postedProgress(JSON.stringify({ trainerStatus }), before);
  const metrics = (all: object) => Object.entries(all).map(([name, value]) => ({ name, value: String(value) }));

  test('of a step has the steps, the epoch and the metrics of the callback', () => {
    const sent = metrics({ loss: 0.5, grad_norm: 'inf', current_step: 12, total_steps: 40, current_epoch: 1.25 });
    const status = { progressPercentage: 30, estimatedRemainingSeconds: 9, metrics: sent, lastUpdatedTime: 'then' };
    expect(post(status)).toEqual({
      kind: 'report',
      progress: {
        step: 12,
        total: 40,
        epoch: 1,
        metrics: { loss: 0.5 },
        nonFinite: { grad_norm: 'Infinity' },
        etaSeconds: 9,
        at: 'then',
      },
    });
  });

  test('the last, which has no steps, ends at the total known before', () => {
    const before = { step: 39, total: 40, epoch: 1 };
    expect(post({ progressPercentage: 100, metrics: metrics({ loss: 0.4 }) }, before)).toEqual({
      kind: 'report',
      progress: { step: 40, total: 40, epoch: 1, metrics: { loss: 0.4 } },
    });
  });

  test.each([
    ['a percentage alone counts of a hundred', { progressPercentage: 42 }, { step: 42, total: 100 }],
    ['nothing at all is the beginning', {}, { step: 0, total: 100 }],
    [
      'a value that is no number is no metric',
      { progressPercentage: 1, metrics: metrics({ ok: 'True', loss: '' }) },
      { step: 1, total: 100, metrics: {} },
    ],
  ])('%s', (_what, status, progress) => expect(post(status)).toEqual({ kind: 'report', progress }));

  test('whatever is sent becomes a report or a sentence', () => {
    const anything = fc.record(
      { progressPercentage: fc.anything(), metrics: fc.anything(), lastUpdatedTime: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          anything.map((status) => JSON.stringify({ trainerStatus: status })),
        ),
        (body) => {
          expect(['report', 'invalid']).toContain(postedProgress(body, undefined).kind);
        },
      ),
    );
  });
});
