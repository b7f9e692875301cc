import {
  type Comparison,
  fixedSampleSize,
  requestsUntilWorse,
} from '@slipway/operator/domain/analysis/simulation/power.ts';
import { watchFault, watchPair } from '@slipway/operator/domain/analysis/simulation/rollouts.ts';
import { PROMISED } from '@slipway/operator/domain/analysis/simulation/traffic.ts';
import { isMoreThan, mean, percent, quantile, rollouts, type Section } from './section.ts';

const LEVELS = [0.05, 0.01, 0.001];
const SPLITS: Readonly<Record<string, (second: number) => number>> = {
  '5 %': () => 0.05,
  '50 %': () => 0.5,
  'rising 1 to 90 %': (second) => [0.01, 0.05, 0.25, 0.5][Math.floor(second / 15)] ?? 0.9,
};
const RATE = 0.05;
const SECONDS = 75;

/** Candidates that are as good as stable and were found worse. */
export function falseBlame(runs: number): Section {
  const counted = Object.entries(PROMISED).map(([name, traffic]) => ({
    name,
    cells: Object.values(SPLITS).map((weight) =>
      LEVELS.map(
        (alpha) =>
          rollouts(runs, (seed) =>
            watchPair({
              traffic,
              candidate: RATE,
              stable: RATE,
              margin: 0,
              weight,
              perSecond: 100,
              seconds: SECONDS,
              alpha,
              seed,
            }),
          ).filter(({ verdict }) => verdict === 'Fail').length,
      ),
    ),
  }));
  return {
    name: 'false-blame',
    title: `Candidates as good as stable found worse, of ${runs}, both at 5 %, 100 requests/s, looked at each second for ${SECONDS} s, at alpha ${LEVELS.join(' / ')}`,
    head: ['traffic', ...Object.keys(SPLITS).map((split) => `weight ${split}`)],
    rows: counted.map(({ name, cells }) => [
      name,
      ...cells.map((cell) => cell.map((count) => percent(count / runs)).join(' / ')),
    ]),
    broken: counted.flatMap(({ name, cells }) =>
      cells.flatMap((cell) =>
        cell.flatMap((count, i) =>
          isMoreThan(LEVELS[i] ?? 0, count, runs)
            ? [`${name}: ${count} of ${runs} found worse at alpha ${LEVELS[i]}`]
            : [],
        ),
      ),
    ),
    measurements: [],
  };
}

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
