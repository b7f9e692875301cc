import { GATE_METRICS, type Gate } from '@slipway/crds';
import { gateResultSchema, type Prediction } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Failure } from '../../artifact/failure.ts';
import { METRICS } from '../metrics.ts';
import { judgeOne } from '../testing/evidence.ts';

const answer = fc.oneof(
  fc.integer({ min: 0, max: 1 }),
  fc.constantFrom('cat', 'dog', '1'),
  fc.double({ noNaN: true, min: -9, max: 9 }),
);
const cells = fc.record({ group: fc.constantFrom('a', 'b', 'c'), size: fc.integer({ min: 0, max: 3 }) });
const prediction = fc.record({
  label: answer,
  prediction: answer,
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  slice: cells,
});
const predictions = fc
  .array(prediction, { minLength: 1, maxLength: 60 })
  .map((all) => all.map((one, id): Prediction => ({ id, ...one })));

const closed = GATE_METRICS.filter((metric) => !METRICS[metric].method.includes('bootstrap'));
const comparison = fc.constantFrom<Partial<Gate>>(
  { min: '0.5' },
  { max: '0.5' },
  { min: '0.5', slice: 'size >= 1 && group != "a"', minSamples: 1 },
  { across: 'group', maxGap: '0.1', minSamples: 1 },
  { versus: 'Production', minSamples: 1 },
);

it('any predictions get a verdict with numbers that JSON can say, or a sentence that names what to write instead', async () => {
  await fc.assert(
    fc.asyncProperty(
      predictions,
      fc.constantFrom(...closed),
      comparison,
      fc.integer({ min: 0, max: 9 }),
      async (all, metric, how, shift) => {
        const theirs = all.map((one, i) => ({ ...one, prediction: all[(i + shift) % all.length]?.prediction ?? 0 }));
        const rival = async () => ({ name: 'm-1.0.0', version: '1.0.0', predictions: theirs });
        try {
          const { result } = await judgeOne({ name: 'g', metric, ...how }, all, { rival });
          expect(gateResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
          expect(result.low).toBeLessThanOrEqual(result.high);
          if (result.verdict === 'Pass') expect(result.n).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
          expect(String(error)).toMatch(/Gate g needs/);
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('any estimate lies inside its interval', async () => {
  await fc.assert(
    fc.asyncProperty(predictions, fc.constantFrom(...GATE_METRICS), async (all, metric) => {
      const judged = await judgeOne({ name: 'g', metric, min: '0', minSamples: 1 }, all).catch(() => undefined);
      if (judged === undefined || Number.isNaN(judged.finding.value)) return;
      const { value, low, high } = judged.finding;
      expect(low).toBeLessThanOrEqual(value + 1e-9);
      expect(high).toBeGreaterThanOrEqual(value - 1e-9);
    }),
    { numRuns: 40 },
  );
});
