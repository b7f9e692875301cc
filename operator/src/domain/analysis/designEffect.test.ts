import { describe, expect, test } from 'vitest';
import { comparedAt, designEffect, effectiveCounts, errorCounts, type History } from './designEffect.ts';
import { Arm } from './simulation/arm.ts';
import { watchRate } from './simulation/rollouts.ts';
import { PROMISED, type Traffic } from './simulation/traffic.ts';
import { mulberry32 } from './simulation.ts';
import { noBatches, noRequests } from './tally.ts';

const PER_SECOND = 100;
/** Mean design effect of the traffic after so many seconds. */
function meanEffect(traffic: Traffic, seconds: number): number {
  const effects = Array.from({ length: 200 }, (_, seed) => {
    const uniform = mulberry32(seed + 1);
    const next = traffic(uniform, 0.05);
    const arm = new Arm();
    for (let second = 0; second < seconds; second += 1) arm.second(uniform, PER_SECOND, next());
    return arm.total / arm.counts.total;
  });
  return effects.reduce((a, b) => a + b, 0) / effects.length;
}

describe('the design effect', () => {
  test('of one second of 100 requests says that they may be one burst: worth 8', () => {
    expect(designEffect(30, 100, { count: 1, squaredOverTotal: 9 })).toBeCloseTo(1 + 99 * 0.12, 9);
  });

  test('of a few requests a second is small from the first on', () => {
    expect(designEffect(1, 2, { count: 1, squaredOverTotal: 0.5 })).toBeCloseTo(1.12, 9);
  });

  test('of seconds that all fail alike falls as they go on: a fault that stays is no burst', () => {
    const steady = (seconds: number) =>
      designEffect(30 * seconds, 100 * seconds, { count: seconds, squaredOverTotal: 9 * seconds });
    expect(steady(5)).toBeLessThan(steady(1));
    expect(steady(40)).toBeLessThan(2.5);
    expect(steady(400)).toBeLessThan(1.2);
  });

  test('assumes more the higher the rate is that is tested: bad seconds that fail ten times as often weigh more there', () => {
    const second = { count: 1, squaredOverTotal: 9 };
    const at = (limit: number) => designEffect(30, 100, second, limit);
    expect([at(0.01), at(0.05), at(0.1)].map((phi) => phi.toFixed(1))).toEqual(['11.3', '20.8', '32.7']);
  });

  test('is not lowered by seconds that are alike: two bad ones in a row are', () => {
    const alike = designEffect(60, 200, { count: 2, squaredOverTotal: 18 });
    expect(alike).toBeCloseTo(1 + (5 * 199 * 0.12) / 6, 9);
  });

  test('counts the first and the last second as one, for looks and rollouts begin within a second', () => {
    const cut = { count: 3, squaredOverTotal: (5 * 5) / 50 + (10 * 10) / 100 + (5 * 5) / 50 };
    expect(designEffect(20, 200, cut)).toBeCloseTo(1 + (5 * 99 * 0.12) / 7, 9);
  });

  test('of independent requests comes near 1', () => {
    expect(meanEffect(PROMISED.independent, 120)).toBeLessThan(1.7);
  });

  test('of bursts is what their variance says, or more', () => {
    const bursts = PROMISED['bursts: a tenth of the seconds, 10 times the rest'];
    // Var(rate) = 0.09·(9·0.05/1.9)², so that φ = 1 + 99·Var/(p(1 − p)).
    const variance = 0.09 * (0.45 / 1.9) ** 2;
    expect(meanEffect(bursts, 200)).toBeGreaterThan(1 + (99 * variance) / (0.05 * 0.95));
  });

  test('without a hit rests on the assumption, and it fades', () => {
    const clean = (seconds: number) => designEffect(0, 100 * seconds, { count: seconds, squaredOverTotal: 0 });
    expect(clean(3)).toBeGreaterThan(5);
    expect(clean(300)).toBeLessThan(1.2);
  });

  test.each([
    ['nothing was asked', 0, 0, noBatches],
    ['there are no batches', 5, 100, noBatches],
    ['each batch holds one question', 5, 100, { count: 100, squaredOverTotal: 5 }],
  ])('is 1 where %s', (_sentence, hits, total, batches) => {
    expect(designEffect(hits, total, batches)).toBeCloseTo(1, 1);
  });

  test('divides hits and total alike', () => {
    const { hits, total } = effectiveCounts(30, 100, { count: 1, squaredOverTotal: 9 });
    expect(hits / total).toBeCloseTo(0.3, 9);
    expect(total).toBeCloseTo(100 / 12.88, 9);
  });

  test('of errors is that of the served requests, and refusals under load count as errors', () => {
    expect(errorCounts({ ...noRequests, ok: 90, clientError: 5, serverError: 3, shed: 2 })).toEqual({
      hits: 5,
      total: 100,
    });
    const second = { ...noRequests, ok: 70, serverError: 30, batchSeconds: 1, failedSquaredOverServed: 9 };
    expect(errorCounts(second).total).toBeCloseTo(100 / 12.88, 9);
  });
});

describe('what is assumed of two versions that are compared, stable failing 10 %', () => {
  const stable = { hits: 10, total: 100 };
  /** 100 requests in each second, of which a tenth of the seconds have `bad` failures and the rest `good`. */
  const history = (seconds: number, bad: number, good: number, pods = 1): History => ({
    hits: (seconds * (bad + 9 * good)) / 10,
    total: 100 * seconds,
    batches: { count: seconds, squaredOverTotal: (seconds * (bad ** 2 + 9 * good ** 2)) / 1000 },
    pods,
  });
  const assumed = (known?: History) => comparedAt(stable, 0, known).correlation;

  test('is by its rate where nothing is known', () => expect(assumed()).toBeCloseTo(0.64, 9));

  test('is the less the longer no second stood out, down to eight requests a second', () => {
    expect(assumed(history(10, 10, 10))).toBeGreaterThan(0.55);
    expect(assumed(history(150, 10, 10))).toBeCloseTo(0.32, 9);
    expect(assumed(history(3600, 10, 10))).toBe(0.12);
  });

  test('stays where its seconds were bad', () => expect(assumed(history(3600, 55, 5))).toBeGreaterThan(0.6));

  test('counts the seconds of many pods once', () =>
    expect(assumed(history(600, 10, 10, 10))).toBeCloseTo(assumed(history(60, 10, 10)), 9));

  test('grows with the rate that it has now: times that fail more are burstier', () => {
    const quiet = history(3600, 4, 0.4);
    const at = (hits: number) => comparedAt({ hits, total: 1000 }, 0, quiet).correlation;
    expect(at(200)).toBeGreaterThan(2 * at(8));
  });
});

describe('a candidate at the limit, looked at each second for a minute', { timeout: 60_000 }, () => {
  const runs = 400;
  const failsOf = (traffic: Traffic, perSecond: number, fail: number, seconds = 60) =>
    Array.from({ length: runs }, (_, seed) =>
      watchRate({ traffic, rate: 0.05, perSecond, seconds, limit: 0.05, risk: { fail, pass: 1e-9 }, seed: seed + 1 }),
    ).filter(({ verdict }) => verdict === 'Fail').length;
  const cases = Object.entries(PROMISED).flatMap(([name, traffic]) =>
    [10, 100].flatMap((perSecond) => [0.05, 0.01].map((fail) => [name, perSecond, fail, traffic] as const)),
  );
  test.each(cases)('%s, %d requests/s, is failed in at most %d of the rollouts', (_name, perSecond, fail, traffic) => {
    expect(failsOf(traffic, perSecond, fail)).toBeLessThanOrEqual(
      runs * fail + 3 * Math.sqrt(runs * fail * (1 - fail)),
    );
  });

  const unaligned = Object.entries(PROMISED).flatMap(([name, traffic]) =>
    [0.05, 0.01].map((fail) => [name, fail, traffic] as const),
  );
  test.each(unaligned)(
    '%s, in seconds of nobody and two looks a second, is failed in at most %d',
    (_name, fail, traffic) => {
      const failed = Array.from({ length: runs }, (_, seed) =>
        watchRate({
          traffic,
          rate: 0.05,
          perSecond: 10,
          seconds: 60,
          limit: 0.05,
          risk: { fail, pass: 1e-12 },
          seed: seed + 1,
          unaligned: true,
        }),
      ).filter(({ verdict }) => verdict === 'Fail').length;
      expect(failed).toBeLessThanOrEqual(runs * fail + 3 * Math.sqrt(runs * fail * (1 - fail)));
    },
  );

  test.each([
    [0.2, 'bursts: a tenth of the seconds, 10 times the rest'],
    [0.3, 'correlated: bad times of 2 s, 3 times the rest'],
    [0.5, 'correlated: bad times of 2 s, 3 times the rest'],
  ] as const)('a limit of %d, where a bad second fails whole, is kept one in a thousand too: %s', (limit, name) => {
    const [many, fail] = [2000, 0.001];
    const failed = Array.from({ length: many }, (_, seed) =>
      watchRate({
        traffic: PROMISED[name],
        rate: limit,
        perSecond: 30,
        seconds: 60,
        limit,
        risk: { fail, pass: 1e-12 },
        seed: seed + 1,
        unaligned: true,
      }),
    ).filter(({ verdict }) => verdict === 'Fail').length;
    expect(failed).toBeLessThanOrEqual(many * fail + 3 * Math.sqrt(many * fail));
  });

  test('flagger#1501: is not failed by a burst in the first three seconds', () => {
    const bursts = PROMISED['bursts: a tenth of the seconds, 10 times the rest'];
    expect(failsOf(bursts, 200, 0.01, 3)).toBeLessThanOrEqual(runs * 0.01 + 3 * Math.sqrt(runs * 0.01));
  });
});
