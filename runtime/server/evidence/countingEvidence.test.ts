import { Worker } from 'node:worker_threads';
import { evidenceSchema, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roomFor, type TensorValue } from '../tensor.ts';
import { evidenceOf } from './document.ts';
import type { Answered, ModelEvidence } from './modelEvidence.ts';
import { outcomeOf, PROTOCOLS, REQUEST_OUTCOMES } from './outcome.ts';
import { answered, BASELINE, evidenceWith, START } from './testing/evidence.ts';

const identity = { name: 'flights', version: '1.4.0', digest: 'sha256:00' };
const idle = { ready: true, draining: false, inFlight: 0 };
const NOW = START.getTime();

function rows(name: string, values: readonly (readonly (number | string)[])[]): TensorValue {
  const datatype = typeof values[0]?.[0] === 'string' ? 'BYTES' : 'FP32';
  const elements = roomFor(datatype, values.flat().length) as (number | string)[];
  values.flat().forEach((value, i) => {
    elements[i] = value;
  });
  return { name, datatype, shape: [values.length, values[0]?.length ?? 0], elements: elements as string[] };
}

test.each([
  [200, 'ok'],
  [400, 'clientError'],
  [404, 'clientError'],
  [413, 'clientError'],
  [499, 'clientError'],
  [500, 'serverError'],
  [503, 'shed'],
])('a %i is %s', (status, outcome) => {
  expect(outcomeOf(status)).toBe(outcome);
});

describe('the evidence document', () => {
  test.each([
    ['without a baseline', undefined],
    ['with one', BASELINE],
  ])('is valid from the first moment, %s', (_what, baseline) => {
    const document = evidenceOf({ identity, evidence: evidenceWith({ baseline }) }, idle, START);
    expect(evidenceSchema.parse(document)).toEqual(document);
    expect(document.latency.counts).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
    expect(document.features?.length).toBe(baseline?.features.length);
  });

  test('holds what a run was asked and answered against the baseline', () => {
    const evidence = evidenceWith({ baseline: BASELINE });
    const inputs = [
      rows('x', [
        [0, 5],
        [0, 11],
        [0, Number.NaN],
      ]),
      rows('colour', [['red'], ['green'], ['']]),
    ];
    evidence.ran(
      inputs,
      [
        rows('scores', [
          [0.5, 0, 0],
          [0.6, 0, 0],
          [Number.POSITIVE_INFINITY, 0, 0],
        ]),
      ],
      3,
    );
    const document = evidenceOf({ identity, evidence }, idle, START);
    expect(evidenceSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({
      features: [
        { name: 'distance', counts: [0, 1, 1], missing: 1, nonFinite: 0, outOfRange: 1, unseen: 0 },
        { name: 'colour', counts: [1, 0, 1], missing: 1, nonFinite: 0, outOfRange: 0, unseen: 1 },
      ],
      predictions: [{ name: 'first score', counts: [1, 1], missing: 0, nonFinite: 1, outOfRange: 0, unseen: 0 }],
      outliers: { judged: 3, beyond: 0 },
      rows: { run: 3, judged: 3 },
    });
  });

  test('counts every outcome, but the latency and the batches of served requests only', () => {
    const evidence = evidenceWith();
    for (const outcome of ['ok', 'ok', 'clientError', 'serverError', 'shed'] as const) {
      evidence.answered(answered(outcome, 4), NOW);
    }
    const { requests, latency, batches } = evidence.counts();
    expect(requests).toEqual({ ok: 2, clientError: 1, serverError: 1, shed: 1 });
    expect(latency.sumMs).toBe(12);
    expect(latency.counts.reduce((a, b) => a + b, 0)).toBe(3);
    expect(batches).toEqual({ seconds: 1, failedSquaredOverServed: 1 / 3 });
  });

  test('puts a latency into the first bin whose bound it does not exceed', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ min: 0, max: 20_000, noNaN: true }), fc.constantFrom(...LATENCY_BOUNDS_MS)),
        (ms) => {
          const evidence = evidenceWith();
          evidence.answered(answered('ok', ms), NOW);
          const { counts, boundsMs } = evidence.counts().latency;
          const bin = counts.indexOf(1);
          expect(ms).toBeLessThanOrEqual(boundsMs[bin] ?? Number.POSITIVE_INFINITY);
          if (bin > 0) expect(ms).toBeGreaterThan(boundsMs[bin - 1] ?? 0);
        },
      ),
    );
  });

  test('counts answers that are not finite, and not the values in them', () => {
    const evidence = evidenceWith();
    for (const count of [0, 3, 1]) evidence.nonFinite(count);
    expect(evidence.counts().invalid).toBe(2);
    expect(evidence.snapshot().nonFiniteValues).toBe(4);
  });

  test('is not changed by what comes after it', () => {
    const evidence = evidenceWith({ baseline: BASELINE });
    const before = JSON.stringify(evidence.counts());
    const reading = evidence.counts();
    evidence.answered(answered('ok', 1, { queueMs: 1, computeMs: 1 }), NOW);
    evidence.ran([rows('x', [[1, 1]]), rows('colour', [['red']])], [], 1);
    expect(JSON.stringify(reading)).toBe(before);
  });
});

describe('counters of two processes', () => {
  const request = fc.record<Answered>({
    outcome: fc.constantFrom(...REQUEST_OUTCOMES),
    protocol: fc.constantFrom(...PROTOCOLS),
    latencyMs: fc.integer({ min: 0, max: 20_000 }),
    queueMs: fc.integer({ min: 0, max: 100 }),
    computeMs: fc.integer({ min: 0, max: 100 }),
  });
  const all = (evidence: ModelEvidence, requests: readonly Answered[]) => {
    requests.forEach((one) => {
      evidence.answered(one, NOW);
    });
    return evidence.counts();
  };
  const sum = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + (b[i] as number));

  test('add up to those of one that had served both', () => {
    fc.assert(
      fc.property(fc.array(request), fc.array(request), (mine, yours) => {
        const [a, b] = [all(evidenceWith(), mine), all(evidenceWith(), yours)];
        const both = all(evidenceWith(), [...mine, ...yours]);
        for (const outcome of REQUEST_OUTCOMES) {
          expect(both.requests[outcome]).toBe(a.requests[outcome] + b.requests[outcome]);
        }
        for (const phase of ['latency', 'queue', 'compute'] as const) {
          expect(both[phase]?.counts).toEqual(sum(a[phase]?.counts ?? [], b[phase]?.counts ?? []));
          expect(both[phase]?.sumMs).toBe((a[phase]?.sumMs ?? 0) + (b[phase]?.sumMs ?? 0));
        }
      }),
    );
  });
});

describe('the totals for the statistics endpoint', () => {
  test('are nanoseconds and counts of each phase', () => {
    const evidence = evidenceWith();
    const phases = { decodeMs: 0.25, queueMs: 1, computeMs: 2, encodeMs: 0.5 };
    evidence.answered(answered('ok', 4, phases), NOW);
    evidence.answered(answered('ok', 6, { ...phases, protocol: 'grpc' }), NOW + 5);
    evidence.answered(answered('clientError', 1), NOW + 3);
    evidence.ran([], [], 2);
    expect(evidence.snapshot()).toMatchObject({
      lastInferenceMs: NOW + 5,
      inferenceCount: 2,
      executionCount: 1,
      success: { count: 2, ns: 10_000_000 },
      fail: { count: 1, ns: 1_000_000 },
      computeInput: { count: 2, ns: 500_000 },
      queue: { count: 2, ns: 2_000_000 },
      computeInfer: { count: 2, ns: 4_000_000 },
      computeOutput: { count: 2, ns: 1_000_000 },
      requests: { ok: { rest: 1, grpc: 1 }, clientError: { rest: 1, grpc: 0 } },
    });
  });
});

test('kserve#2979, MLServer#1151: the counters can be read by another thread', async () => {
  const evidence = evidenceWith();
  for (let i = 0; i < 7; i++) evidence.answered(answered('ok', 1), NOW);
  const reader =
    'const { workerData, parentPort } = require("node:worker_threads"); parentPort.postMessage(new Float64Array(workerData)[0]);';
  const worker = new Worker(reader, { eval: true, workerData: evidence.memory });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.once('message', resolve).once('error', reject);
  expect(await promise).toBe(7);
  await worker.terminate();
});
