import { fixedSampleSize, trueDesignEffect } from '@slipway/operator/domain/analysis/simulation/power.ts';
import { watchPair } from '@slipway/operator/domain/analysis/simulation/rollouts.ts';
import { PROMISED, type Traffic } from '@slipway/operator/domain/analysis/simulation/traffic.ts';
import { percent, quantile, rollouts, type Section } from './section.ts';

const PER_SECOND = 100;
const ALPHA = 0.001;
const LONGEST = 900;
const WEIGHTS = [0.1, 0.5];
const PAIRS = [
  { stable: 0.001, candidate: 0.3 },
  { stable: 0.05, candidate: 0.3 },
  { stable: 0.2, candidate: 0.5 },
  { stable: 0.01, candidate: 0.05 },
  { stable: 0.05, candidate: 0.1 },
  { stable: 0.2, candidate: 0.3 },
];
type Pair = (typeof PAIRS)[number];
const BURSTS = 'bursts: a tenth of the seconds, 10 times the rest';

interface Terms extends Pair {
  readonly traffic: Traffic;
  readonly weight: number;
  readonly history: number;
}

/** Seconds until the candidate is found worse, as in the operator. */
const secondsUntilWorse = (terms: Terms, runs: number): readonly number[] =>
  rollouts(
    runs,
    (seed) =>
      watchPair({
        ...terms,
        weight: () => terms.weight,
        margin: 0,
        perSecond: PER_SECOND,
        seconds: LONGEST,
        alpha: ALPHA,
        seed,
        unaligned: true,
      }).second,
  );

const known = new Map<Traffic, Map<number, number>>();
/** What one request a second more adds to the design effect. Kept, for a table asks for each of its rates many times. */
function burstiness(traffic: Traffic, rate: number): number {
  const ofTraffic = known.get(traffic) ?? new Map<number, number>();
  known.set(traffic, ofTraffic);
  const found = ofTraffic.get(rate) ?? trueDesignEffect(traffic, rate, 1) - 1;
  ofTraffic.set(rate, found);
  return found;
}

/** Of a test of fixed size that knew both rates, and which traffic this is. */
function secondsOfFixedSample({ traffic, stable, candidate, weight }: Terms): number {
  const designEffect = {
    stable: 1 + burstiness(traffic, stable) * PER_SECOND * (1 - weight),
    candidate: 1 + burstiness(traffic, candidate) * PER_SECOND * weight,
  };
  const size = fixedSampleSize({ stable, candidate, margin: 0, weight, alpha: ALPHA, designEffect });
  return size / (PER_SECOND * weight);
}

/** Of one that knew both rates, and has to keep our promise: its size is that for the burstiest traffic it is made for. */
const secondsOfSamePromise = (terms: Terms): number =>
  Math.max(...Object.values(PROMISED).map((traffic) => secondsOfFixedSample({ ...terms, traffic })));

/** A test planned for less than this has less than one bad second in it, whose number decides. */
const PLANNED_SECONDS = 10;
const BAR = 2.5;

const planned = (seconds: number, median: number): string =>
  `${Number(seconds.toPrecision(2))}: ${(median / seconds).toFixed(1)} ×`;

/** How long a worse candidate of real traffic takes, with φ, beside a test that was planned for it. */
export function comparisonTimes(runs: number): Section {
  const times = Math.ceil(runs / 5);
  const measured = PAIRS.flatMap((pair) =>
    (['independent', BURSTS] as const).map((name) => ({
      ...pair,
      name,
      cells: WEIGHTS.map((weight) => {
        const terms = { ...pair, traffic: PROMISED[name], weight, history: 600 };
        const seconds = secondsUntilWorse(terms, times);
        const fixed = secondsOfFixedSample(terms);
        const promise = secondsOfSamePromise(terms);
        return { median: quantile(seconds, 0.5), most: quantile(seconds, 0.99), fixed, promise };
      }),
    })),
  );
  const ratios = measured.flatMap(({ cells }) =>
    cells.flatMap(({ fixed, median }) => (fixed >= PLANNED_SECONDS ? [median / fixed] : [])),
  );
  const fair = measured.flatMap(({ cells }) => cells.map(({ median, promise }) => median / promise));
  return {
    name: 'comparison-times',
    title: `Seconds until a worse candidate is found, ${PER_SECOND} requests/s, alpha ${ALPHA}, looked at twice a second, of ${times}: median (99 of 100); those of a test of fixed size with 90 % power that knew the effect and keeps the same promise; those of one that knew the traffic, too`,
    head: ['stable → candidate', 'traffic', ...WEIGHTS.map((weight) => `weight ${percent(weight)}`)],
    rows: measured.map(({ stable, candidate, name, cells }) => [
      `${percent(stable)} → ${percent(candidate)}`,
      name.split(':')[0] ?? '',
      ...cells.map(
        ({ median, most, fixed, promise }) =>
          `${median} (${most}); ${planned(promise, median)}; ${planned(fixed, median)}`,
      ),
    ]),
    broken: [...ratios, ...fair]
      .filter((ratio) => ratio > BAR)
      .map((ratio) => `a ratio is ${ratio.toFixed(2)}, over ${BAR}`),
    measurements: [
      {
        what: 'comparison with stable, design effect included: time over that of a fixed sample of 10 s or more, median, worst pair',
        value: Math.max(...ratios),
        unit: '',
      },
      {
        what: 'comparison with stable, design effect included: time over that of a fixed sample that keeps the same promise, median, worst pair',
        value: Math.max(...fair),
        unit: '',
      },
    ],
  };
}
