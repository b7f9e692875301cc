import { type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answered, binned, evidenceDocument } from '../../test/evidenceDocument.ts';
import { PodEvidence } from './pods.ts';
import { readEvidence } from './readable.ts';
import { latencyOf } from './tallyOf.ts';

const textOf = (given: object): string => JSON.stringify({ ...evidenceDocument({ requests: answered(10) }), ...given });
const shadow = { order: 'o', compared: 3, disagreed: 1, skipped: 0, failed: 0 };

describe('an evidence document', () => {
  test('is read as it stands', () => {
    expect(readEvidence(textOf({ shadow }))).toMatchObject({ requests: { ok: 10 }, shadow });
  });

  test.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['no JSON', '{"schema":'],
    ['another schema', textOf({ schema: 'slipway.dev/evidence/v9' })],
    ['a number beyond any', textOf({}).replace('"ok":10', '"ok":1e999')],
    ['a negative count', textOf({ requests: answered(-1) })],
    ['half a request', textOf({ requests: answered(0.5) })],
    ['more requests than a process can answer', textOf({ requests: answered(1e13) })],
    ['a text for a count', textOf({ requests: { ...answered(1), ok: '1' } })],
    ['null for a part', textOf({ requests: null })],
    ['more invalid answers than answers', textOf({ invalid: 11 })],
    ['5 of 3 answers that disagree', textOf({ shadow: { ...shadow, disagreed: 5 } })],
    [
      'a segment that contradicts itself',
      textOf({ shadow: { ...shadow, segments: { a: { compared: 1, disagreed: 2 } } } }),
    ],
    ['a negative latency count', textOf({ latency: { boundsMs: [1], counts: [-5, 5], sumMs: 0 } })],
    ['a bin beyond any count', textOf({ predictions: [binned('delay', [2 ** 52])] })],
  ])('that holds %s is none', (_what, text) => {
    expect(readEvidence(text)).toBeUndefined();
  });
});

describe('latency counts', () => {
  const ours = [...LATENCY_BOUNDS_MS];
  const counts = ours.map((_, i) => i).concat(99);

  test('of our bounds stand as they are', () => {
    expect(latencyOf({ boundsMs: ours, counts, sumMs: 0 })).toEqual(counts);
  });

  test('of a later release with more bounds are put together to ours', () => {
    const finer = { boundsMs: [0.05, ...ours, 20_000], counts: [7, ...counts, 1], sumMs: 0 };
    expect(latencyOf(finer)).toEqual([7 + (counts[0] ?? 0), ...counts.slice(1, -1), 99 + 1]);
  });

  test.each([
    ['lack one of our bounds', { boundsMs: ours.slice(1), counts: counts.slice(1), sumMs: 0 }],
    ['are fewer than their bounds', { boundsMs: ours, counts: [1], sumMs: 0 }],
    ['have bounds that do not rise', { boundsMs: [...ours].reverse(), counts, sumMs: 0 }],
  ])('that %s tell nothing', (_why, latency) => {
    expect(latencyOf(latency)).toEqual([]);
  });
});

const count = fc.oneof(
  fc.nat(200),
  fc.constantFrom(-1, 0.5, 1e12, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
);
const requests = fc.record({ ok: count, clientError: count, serverError: count, shed: count });
const segment = fc.record({ compared: count, disagreed: count });
const names = fc.constantFrom('__proto__', 'constructor', 'x'.repeat(128), 'BR', '');
const hostile = fc
  .record(
    {
      epoch: fc.constantFrom('e1', 'e2', ''),
      startedAt: fc.constantFrom('2030-01-01T12:00:01Z', '1970-01-01T00:00:00Z', 'yesterday', '9999-12-31T23:59:59Z'),
      requests,
      batches: fc.record({ seconds: count, failedSquaredOverServed: count }),
      latency: fc.record({
        boundsMs: fc.array(count, { maxLength: 64 }),
        counts: fc.array(count, { maxLength: 65 }),
        sumMs: count,
      }),
      invalid: count,
      labels: fc.record({ right: count, wrong: count, unknown: count }),
      predictions: fc.array(
        fc
          .record({ name: names, counts: fc.array(count, { maxLength: 8 }) })
          .map(({ name, counts }) => binned(name, counts)),
        { maxLength: 4 },
      ),
      shadow: fc.record({
        order: fc.constantFrom('o', 'p'),
        compared: count,
        disagreed: count,
        skipped: count,
        failed: count,
        segments: fc.dictionary(names, segment, { maxKeys: 4 }),
      }),
    },
    { requiredKeys: [] },
  )
  .map((given) => ({ ...evidenceDocument(), ...given }) as unknown as Evidence);

/** Every number in a plain value, wherever it stands. */
const numbersIn = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(numbersIn)
      : [];

test('whatever pods tell, evidence is made of finite counts whose parts are no larger than their whole', async () => {
  const text = fc.oneof(
    { weight: 9, arbitrary: hostile.map((d) => JSON.stringify(d)) },
    { weight: 1, arbitrary: fc.string() },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 6 }), async (looks) => {
      let now = Date.parse('2030-01-01T12:00:05Z');
      let answers: readonly string[] = [];
      const source = new PodEvidence({
        fetchText: async (url) => answers[url.includes('10.0.0.1') ? 0 : 1],
        now: () => new Date(now),
      });
      for (const look of looks) {
        answers = look;
        now += 1000;
        const evidence = await source.read(
          {
            service: { namespace: 'ml', name: 'flights' },
            model: 'flights',
            rolloutID: 'r',
            startedAt: new Date('2030-01-01T12:00:00Z'),
            step: '1',
            stepStartedAt: new Date('2030-01-01T12:00:00Z'),
            candidate: 'v1',
            stable: 'v0',
            token: '',
            pods: [
              { uid: 'a', name: 'a', ip: '10.0.0.1', revision: 'v0' },
              { uid: 'b', name: 'b', ip: '10.0.0.2', revision: 'v1' },
            ],
            thresholdsMs: [60],
            predictions: true,
            shadowOrder: 'o',
            poll: () => undefined,
          },
          new AbortController().signal,
        );
        expect(numbersIn(evidence).filter((n) => !Number.isFinite(n) || n < 0)).toEqual([]);
        for (const { sinceRollout, sinceStep, shadow: found } of Object.values(evidence)) {
          for (const { ok, serverError, invalid, latency } of [sinceRollout, sinceStep]) {
            expect(Number.isSafeInteger(ok + serverError + latency.reduce((a, b) => a + b, 0))).toBe(true);
            expect(invalid).toBeLessThanOrEqual(1e13);
          }
          expect(found?.disagreed ?? 0).toBeLessThanOrEqual(found?.compared ?? 0);
          for (const s of Object.values(found?.segments ?? {})) expect(s.disagreed).toBeLessThanOrEqual(s.compared);
          expect(Object.keys(found?.segments ?? {}).length).toBeLessThanOrEqual(65);
        }
        expect(({} as Record<string, unknown>)['compared']).toBeUndefined();
      }
    }),
    { numRuns: 300 },
  );
});
