import { evidenceSchema, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchCounter } from './batches.ts';
import { EvidenceLedger, outcomeOf } from './evidence.ts';

const model = { name: 'flights', version: '1.4.0', digest: 'sha256:00' };
const start = new Date('2026-01-01T00:00:00.000Z');
const idle = { ready: true, draining: false, inFlight: 0 };

test.each([
  [200, 'ok'],
  [400, 'clientError'],
  [404, 'clientError'],
  [413, 'clientError'],
  [500, 'serverError'],
  [503, 'shed'],
])('a %i is %s', (status, outcome) => {
  expect(outcomeOf(status)).toBe(outcome);
});

describe('the design effect from the batch counters', () => {
  const second = fc
    .integer({ min: 1, max: 30 })
    .chain((served) => fc.record({ served: fc.constant(served), failed: fc.integer({ min: 0, max: served }) }));
  const count = (seconds: readonly { served: number; failed: number }[]) => {
    const counter = new BatchCounter();
    seconds.forEach(({ served, failed }, i) => {
      for (let k = 0; k < served; k++) counter.record(k < failed, 1_700_000_000_000 + i * 1000 + k * 30);
    });
    return counter.read();
  };

  test('is the variance of the per-second failures over that of a binomial, by its definition', () => {
    fc.assert(
      fc.property(fc.array(second, { minLength: 2, maxLength: 50 }), (seconds) => {
        const failed = seconds.reduce((sum, s) => sum + s.failed, 0);
        const served = seconds.reduce((sum, s) => sum + s.served, 0);
        const p = failed / served;
        fc.pre(p > 0 && p < 1);
        const scale = (seconds.length - 1) * p * (1 - p);
        const byDefinition = seconds.reduce((sum, s) => sum + (s.failed - s.served * p) ** 2 / s.served, 0) / scale;
        const { seconds: n, failedSquaredOverServed } = count(seconds);
        expect(n).toBe(seconds.length);
        expect((failedSquaredOverServed - failed ** 2 / served) / scale).toBeCloseTo(byDefinition, 8);
      }),
    );
  });

  test('seconds without traffic are no batches', () => {
    const counter = new BatchCounter();
    expect(counter.read()).toEqual({ seconds: 0, failedSquaredOverServed: 0 });
    counter.record(true, 1000);
    counter.record(false, 1999);
    counter.record(true, 60_000);
    expect(counter.read()).toEqual({ seconds: 2, failedSquaredOverServed: 1 / 2 + 1 });
  });

  test('a reading in mid-second agrees with the totals and changes nothing', () => {
    const counter = new BatchCounter();
    counter.record(true, 1000);
    expect(counter.read()).toEqual({ seconds: 1, failedSquaredOverServed: 1 });
    expect(counter.read()).toEqual({ seconds: 1, failedSquaredOverServed: 1 });
    counter.record(false, 1001);
    expect(counter.read()).toEqual({ seconds: 1, failedSquaredOverServed: 0.5 });
  });
});

describe('the evidence document', () => {
  test('is valid from the first moment', () => {
    const document = new EvidenceLedger(model, 'e1', start).read(idle, start);
    expect(evidenceSchema.parse(document)).toEqual(document);
    expect(document.latency.counts).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  });

  test('counts every outcome, but the latency and the batches of served requests only', () => {
    const ledger = new EvidenceLedger(model, 'e1', start);
    for (const outcome of ['ok', 'ok', 'clientError', 'serverError', 'shed'] as const) ledger.record(outcome, 4, start);
    const { requests, latency, batches } = ledger.read(idle, start);
    expect(requests).toEqual({ ok: 2, clientError: 1, serverError: 1, shed: 1 });
    expect(latency.sumMs).toBe(12);
    expect(latency.counts.reduce((a, b) => a + b, 0)).toBe(3);
    expect(batches).toEqual({ seconds: 1, failedSquaredOverServed: 1 / 3 });
  });

  test('puts a latency into the first bin whose bound it does not exceed', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 20_000, noNaN: true }), (latencyMs) => {
        const ledger = new EvidenceLedger(model, 'e1', start);
        ledger.record('ok', latencyMs, start);
        const { counts, boundsMs } = ledger.read(idle, start).latency;
        const bin = counts.indexOf(1);
        expect(latencyMs).toBeLessThanOrEqual(boundsMs[bin] ?? Infinity);
        if (bin > 0) expect(latencyMs).toBeGreaterThan(boundsMs[bin - 1] ?? 0);
      }),
    );
  });

  test('a reading is not changed by what comes after it', () => {
    const ledger = new EvidenceLedger(model, 'e1', start);
    const before = ledger.read(idle, start);
    ledger.record('ok', 1, start);
    expect(before.requests.ok).toBe(0);
    expect(before.latency.counts.every((count) => count === 0)).toBe(true);
  });
});
