import {
  type Comparison,
  fixedSampleSize,
  requestsUntilWorse,
} from '@slipway/operator/domain/analysis/simulation/power.ts';
import { watchFault, watchPair } from '@slipway/operator/domain/analysis/simulation/rollouts.ts';
import { PROMISED, type Traffic } from '@slipway/operator/domain/analysis/simulation/traffic.ts';
import { isMoreThan, mean, percent, quantile, rollouts, type Section } from './section.ts';

const LEVELS = [0.05, 0.01, 0.001];
type Weight = (second: number) => number;
const SPLITS: Readonly<Record<string, Weight>> = {
  '5 %': () => 0.05,
  '50 %': () => 0.5,
  'rising 1 to 90 %': (second) => [0.01, 0.05, 0.25, 0.5][Math.floor(second / 15)] ?? 0.9,
};
const SECONDS = 75;

/** How pairs are watched in a table of false blame. */
interface Watch {
  readonly name: string;
  readonly looked: string;
  readonly unaligned: boolean;
  readonly rates: readonly number[];
  /** Risks, the largest first. Default: LEVELS. */
  readonly levels?: readonly number[];
  /** Seconds for which the stable version served before, by their name; absent: it is as new as the candidate. */
  readonly histories?: Readonly<Record<string, number>>;
}
const ALIGNED: Watch = { name: 'false-blame', looked: 'looked at each second', unaligned: false, rates: [0.05] };
const UNALIGNED: Watch = {
  name: 'false-blame-unaligned',
  looked: 'looked at twice a second, at moments of its own, in pods whose seconds are not those of the traffic,',
  unaligned: true,
  rates: [0.01, 0.05, 0.1, 0.2],
};
const RARE: Watch = { ...UNALIGNED, name: 'false-blame-rare', rates: [0.2], levels: [0.001] };
/** A history of good times is believed the more the longer it is: both the short and the long one must keep the promise. */
const KNOWN: Watch = {
  ...UNALIGNED,
  name: 'false-blame-known',
  rates: [0.05, 0.2],
  histories: { 'after 1 min': 60, 'after 10 min': 600 },
};

interface BlameCase {
  readonly title: string;
  readonly rate: number;
  readonly weight: Weight;
  readonly history: number;
}

const casesOf = ({ rates, histories = { '': 0 } }: Watch): readonly BlameCase[] =>
  Object.entries(histories).flatMap(([since, history]) =>
    rates.flatMap((rate) =>
      Object.entries(SPLITS).map(([split, weight]) => {
        const parts = [since, rates.length === 1 ? '' : percent(rate), `weight ${split}`];
        return { title: parts.filter((part) => part !== '').join(', '), rate, weight, history };
      }),
    ),
  );

/** How many were found worse at each level: what fails at one fails at those above. */
function foundWorse(
  traffic: Traffic,
  { rate, weight, history }: BlameCase,
  runs: number,
  { unaligned, levels = LEVELS }: Watch,
): number[] {
  let seeds = rollouts(runs, (seed) => seed);
  const both = { candidate: rate, stable: rate, margin: 0, perSecond: 100, seconds: SECONDS };
  return levels.map((alpha) => {
    const terms = { ...both, traffic, weight, history, alpha, unaligned };
    seeds = seeds.filter((seed) => watchPair({ ...terms, seed }).verdict === 'Fail');
    return seeds.length;
  });
}

function falseBlameOf(watch: Watch, runs: number): Section {
  const { name, looked, rates, levels = LEVELS } = watch;
  const cases = casesOf(watch);
  const counted = Object.entries(PROMISED).map(([of, traffic]) => ({
    name: of,
    cells: cases.map((one) => foundWorse(traffic, one, runs, watch)),
  }));
  const both = rates.length === 1 ? `both at ${percent(rates[0] ?? 0)}` : 'both at the same rate';
  return {
    name,
    title: `Candidates as good as stable found worse, of ${runs}, ${both}, 100 requests/s, ${looked} for ${SECONDS} s, at alpha ${levels.join(' / ')}`,
    head: ['traffic', ...cases.map(({ title }) => title)],
    rows: counted.map(({ name: of, cells }) => [
      of,
      ...cells.map((cell) => cell.map((count) => percent(count / runs)).join(' / ')),
    ]),
    broken: counted.flatMap(({ name: of, cells }) =>
      cells.flatMap((cell, at) =>
        cell.flatMap((count, i) =>
          isMoreThan(levels[i] ?? 0, count, runs)
            ? [`${of}, ${cases[at]?.title}: ${count} of ${runs} found worse at alpha ${levels[i]}`]
            : [],
        ),
      ),
    ),
    measurements: [],
  };
}

/** Candidates that are as good as stable and were found worse. */
export const falseBlame = (runs: number): Section => falseBlameOf(ALIGNED, runs);

/** As falseBlame, at moments that nobody agreed on, as in the operator. */
export const falseBlameUnaligned = (runs: number): Section => falseBlameOf(UNALIGNED, runs);

/** One in a thousand needs more rollouts than the other tables to be seen. */
const MORE = 10;

/** As falseBlameUnaligned, at the highest of its rates and the smallest risk, where bad seconds fail whole. */
export const falseBlameRare = (runs: number): Section => falseBlameOf(RARE, MORE * runs);

/** As falseBlameUnaligned, where the stable version served before the candidate came. */
export const falseBlameKnown = (runs: number): Section => falseBlameOf(KNOWN, runs);

const PAIRS = [
  { stable: 0.001, candidate: 0.3, margin: 0 },
  { stable: 0.01, candidate: 0.02, margin: 0 },
  { stable: 0.01, candidate: 0.03, margin: 0 },
  { stable: 0.05, candidate: 0.1, margin: 0 },
  { stable: 0.2, candidate: 0.25, margin: 0 },
  { stable: 0.01, candidate: 0.05, margin: 0.005 },
  { stable: 0.01, candidate: 0.3, margin: 0.005 },
];
const WEIGHTS = [0.05, 0.5, 0.9];
const BAR = 2.5;

/** Requests of the comparison with stable over those of a test of fixed size that knew the effect. */
export function power(runs: number): Section {
  const ratios = (comparison: Comparison): readonly number[] => {
    const fixed = fixedSampleSize(comparison);
    return rollouts(runs, (seed) => requestsUntilWorse(comparison, fixed, seed) / fixed);
  };
  const measured = PAIRS.flatMap((pair) =>
    [0.05, 0.001].map((alpha) => ({
      ...pair,
      alpha,
      cells: WEIGHTS.map((weight) => {
        const comparison = { ...pair, alpha, weight };
        const all = ratios(comparison);
        return { fixed: fixedSampleSize(comparison), median: quantile(all, 0.5), mean: mean(all) };
      }),
    })),
  );
  const medians = measured.flatMap(({ cells }) => cells.map(({ median }) => median));
  const means = measured.flatMap((row) => row.cells.map((cell) => cell.mean));
  return {
    name: 'power',
    title:
      'Candidate requests over those of a fixed-sample test with 90 % power that knew the effect: median, mean (the fixed sample)',
    head: ['stable → candidate', 'margin', 'alpha', ...WEIGHTS.map((weight) => `weight ${percent(weight)}`)],
    rows: measured.map(({ stable, candidate, margin, alpha, cells }) => [
      `${percent(stable)} → ${percent(candidate)}`,
      percent(margin),
      String(alpha),
      ...cells.map((cell) => `${cell.median.toFixed(2)}, ${cell.mean.toFixed(2)} (${Math.round(cell.fixed)})`),
    ]),
    broken: [...medians, ...means]
      .filter((ratio) => ratio > BAR)
      .map((ratio) => `a ratio is ${ratio.toFixed(2)}, over ${BAR}`),
    measurements: [
      {
        what: 'comparison with stable: requests over a fixed sample that knew the effect, median, worst pair',
        value: Math.max(...medians),
        unit: '',
      },
      {
        what: 'comparison with stable: requests over a fixed sample that knew the effect, mean, worst pair',
        value: Math.max(...means),
        unit: '',
      },
    ],
  };
}

/** Faults of neither version, and of the candidate alone. */
export function sharedFaults(runs: number): Section {
  const risk = { fail: 0.001, pass: 0.05 };
  const measured = WEIGHTS.flatMap((weight) =>
    [
      [0.05, 0],
      [0.2, 0],
      [0.5, 0],
      [0, 0.05],
      [0, 0.3],
    ].map(([upstream = 0, own = 0]) => {
      const seen = rollouts(runs, (seed) =>
        watchFault({ upstream, own, begins: 0, weight, perSecond: 100, seconds: 30, limit: 0.01, risk, seed }),
      );
      const blamed = seen.filter((one) => one.blamed !== undefined);
      return {
        weight,
        upstream,
        own,
        failed: seen.filter((one) => one.failed !== undefined).length / runs,
        blamed: blamed.length / runs,
        later: blamed.map((one) => (one.blamed ?? 0) - (one.failed ?? 0)),
      };
    }),
  );
  const worst = Math.max(...measured.filter(({ own }) => own === 0).map(({ blamed }) => blamed));
  return {
    name: 'shared-faults',
    title: 'A fault from the first second on, limit 1 %, 100 requests/s, 30 s, fail at 0.001, pass at 0.05',
    head: ['weight', 'whose', 'rate', 'beyond the limit', 'blamed', 'later than the limit alone: median (99 of 100)'],
    rows: measured.map(({ weight, upstream, own, failed, blamed, later }) => [
      percent(weight),
      own === 0 ? 'upstream of both' : "candidate's",
      percent(own === 0 ? upstream : own),
      percent(failed),
      percent(blamed),
      own === 0 ? '–' : `${quantile(later, 0.5)} s (${quantile(later, 0.99)} s)`,
    ]),
    broken: measured
      .filter(({ own, blamed }) => own === 0 && isMoreThan(risk.pass, blamed * runs, runs))
      .map(({ weight, upstream }) => `weight ${weight}, upstream ${upstream}: blamed more often than in 5 %`),
    measurements: [
      {
        what: 'upstream faults of both versions blamed on the candidate, worst weight and rate',
        value: 100 * worst,
        unit: '%',
      },
    ],
  };
}
