import { psiOf } from '@slipway/operator/domain/analysis/distances.ts';
import { mulberry32 } from '@slipway/operator/domain/analysis/simulation.ts';
import { judgeDifference, judgeRate } from '@slipway/operator/domain/analysis/verdict.ts';
import { quantile, rollouts, type Section } from './section.ts';

const RISK = { fail: 0.001, pass: 0.05 };
/** A judgement is made each second for each guard and service. */
const BAR_MS = 1;
const TIMES = 200;
/** What the clock of a thread can tell, over so many times. */
const FINEST_MS = 0.01;

/** Counts of any size: 10 to a million requests, rates from 0.01 % to half. */
function someCounts(uniform: () => number): { hits: number; total: number } {
  const total = 10 ** (1 + 5 * uniform());
  return { hits: Math.round(total * 10 ** (-4 + 3.7 * uniform())), total };
}

const bins = (uniform: () => number): readonly number[] =>
  Array.from({ length: 20 }, () => Math.round(100 * uniform()));

const QUESTIONS: Readonly<Record<string, (uniform: () => number) => () => unknown>> = {
  'a rate against a limit': (uniform) => {
    const counts = someCounts(uniform);
    return () => judgeRate(counts, 0.01, RISK);
  },
  'a comparison with stable': (uniform) => {
    const [candidate, stable] = [someCounts(uniform), someCounts(uniform)];
    return () => judgeDifference(candidate, stable, 0.005, RISK);
  },
  'PSI of 20 bins': (uniform) => {
    const [candidate, stable] = [bins(uniform), bins(uniform)];
    return () => psiOf(candidate, stable, 0.001);
  },
};

/** Milliseconds of a core for one judgement, both bounds, of counts of any size: what else runs here does not count. */
export function speed(runs: number): Section {
  const measured = Object.entries(QUESTIONS).map(([name, ask]) => {
    const times = rollouts(Math.ceil(runs / 10), (seed) => {
      const judge = ask(mulberry32(seed));
      const before = process.threadCpuUsage().user;
      for (let i = 0; i < TIMES; i += 1) judge();
      return (process.threadCpuUsage().user - before) / 1000 / TIMES;
    });
    return { name, median: quantile(times, 0.5), most: quantile(times, 0.99) };
  });
  const text = (ms: number): string => (ms < FINEST_MS ? `under ${FINEST_MS} ms` : `${Number(ms.toPrecision(2))} ms`);
  return {
    name: 'speed',
    title: 'CPU time of one judgement',
    head: ['judgement', 'median', '99 of 100 within'],
    rows: measured.map(({ name, median, most }) => [name, text(median), text(most)]),
    broken: measured.filter(({ median }) => median > BAR_MS).map(({ name }) => `${name} takes more than ${BAR_MS} ms`),
    measurements: measured.map(({ name, median }) => ({
      what: `verdicts, ${name}: CPU time, median`,
      value: Math.max(FINEST_MS, median),
      unit: 'ms',
    })),
  };
}
