import { lowestRate } from '@slipway/operator/domain/analysis/confidenceSequence.ts';
import { watchRate } from '@slipway/operator/domain/analysis/simulation/rollouts.ts';
import { BEYOND, PROMISED, type Traffic } from '@slipway/operator/domain/analysis/simulation/traffic.ts';
import { coin, mulberry32 } from '@slipway/operator/domain/analysis/simulation.ts';
import { isMoreThan, percent, quantile, rollouts, type Section } from './section.ts';

const LEVELS = [0.05, 0.01, 0.001];
const NEVER = 1e-12;

function requestsToFail(rate: number, limit: number, alpha: number, seed: number): number {
  const flip = coin(mulberry32(seed), rate);
  let hits = 0;
  for (let total = 1; total < 100_000; total += 1) {
    hits += flip();
    if (hits > limit * total && lowestRate({ hits, total }, alpha) > limit) return total;
  }
  return Number.POSITIVE_INFINITY;
}

/** Requests until a Fail, looked at after each one. */
export function evidenceNeeded(runs: number): Section {
  const alphas = [0.05, 0.001, 0.0001];
  const rates = [0.3, 0.1, 0.05, 0.03];
  const needed = rates.map((rate) =>
    alphas.map((alpha) => rollouts(runs, (seed) => requestsToFail(rate, 0.01, alpha, seed))),
  );
  return {
    name: 'evidence',
    title: 'Requests until Fail, limit 1 %, independent, looked at after each: median (99 of 100)',
    head: ['true rate', ...alphas.map((alpha) => `alpha ${alpha}`)],
    rows: rates.map((rate, i) => [
      percent(rate),
      ...(needed[i] ?? []).map((requests) => `${quantile(requests, 0.5)} (${quantile(requests, 0.99)})`),
    ]),
    broken: [],
    measurements: rates.map((rate, i) => ({
      what: `verdicts, limit 1 %, alpha 0.001: requests until Fail at ${percent(rate)}, median`,
      value: quantile(needed[i]?.[1] ?? [], 0.5),
      unit: 'requests',
    })),
  };
}

interface Cell {
  readonly limit: number;
  readonly perSecond: number;
}

/** How rollouts are watched in a table of false rollbacks. */
interface Watch {
  readonly name: string;
  readonly looked: string;
  readonly seconds: number;
  readonly unaligned: boolean;
  readonly cells: readonly Cell[];
  readonly traffics: Readonly<Record<string, Traffic>>;
  readonly measured: string;
}
const ALIGNED: Watch = {
  name: 'false-rollbacks',
  looked: 'looked at each second',
  seconds: 120,
  unaligned: false,
  cells: [
    { limit: 0.01, perSecond: 10 },
    { limit: 0.01, perSecond: 100 },
    { limit: 0.05, perSecond: 30 },
    { limit: 0.05, perSecond: 200 },
  ],
  traffics: { ...PROMISED, ...BEYOND },
  measured: '',
};
const UNALIGNED: Watch = {
  name: 'false-rollbacks-unaligned',
  looked: 'looked at twice a second, at moments of its own, in pods whose seconds are not those of the traffic,',
  seconds: 60,
  unaligned: true,
  cells: [
    { limit: 0.01, perSecond: 10 },
    { limit: 0.05, perSecond: 10 },
    { limit: 0.05, perSecond: 100 },
    { limit: 0.1, perSecond: 30 },
  ],
  traffics: PROMISED,
  measured: ', two looks a second, seconds not aligned',
};

const HIGH: Watch = {
  ...UNALIGNED,
  name: 'false-rollbacks-high',
  cells: [
    { limit: 0.2, perSecond: 10 },
    { limit: 0.2, perSecond: 100 },
    { limit: 0.3, perSecond: 30 },
    { limit: 0.5, perSecond: 30 },
  ],
  measured: ', at limits of 20 % and more',
};

/** How many of the rollouts of a candidate exactly at its limit were failed, at each level: what fails at one fails at those above. */
function falseFails(traffic: Traffic, runs: number, { cells, seconds, unaligned }: Watch): readonly number[][] {
  return cells.map(({ limit, perSecond }) => {
    let seeds = rollouts(runs, (seed) => seed);
    return LEVELS.map((fail) => {
      const terms = { traffic, rate: limit, perSecond, seconds, limit, risk: { fail, pass: NEVER }, unaligned };
      seeds = seeds.filter((seed) => watchRate({ ...terms, seed }).verdict === 'Fail');
      return seeds.length;
    });
  });
}

function falseRollbacksOf(watch: Watch, runs: number): Section {
  const { name, looked, seconds, cells } = watch;
  const measured = Object.entries(watch.traffics).map(([of, traffic]) => ({
    name: of,
    isPromised: of in PROMISED,
    fails: falseFails(traffic, runs, watch),
  }));
  const promised = measured.filter(({ isPromised }) => isPromised);
  const broken = promised.flatMap(({ name: of, fails }) =>
    fails.flatMap((cell, i) =>
      cell.flatMap((count, j) =>
        isMoreThan(LEVELS[j] ?? 0, count, runs)
          ? [
              `${of}, limit ${cells[i]?.limit}, ${cells[i]?.perSecond}/s: ${count} of ${runs} failed at alpha ${LEVELS[j]}`,
            ]
          : [],
      ),
    ),
  );
  const worst = LEVELS.map((_, j) => Math.max(...promised.flatMap(({ fails }) => fails.map((cell) => cell[j] ?? 0))));
  return {
    name,
    title: `Good candidates failed, of ${runs}, exactly at the limit, ${looked} for ${seconds} s, at alpha ${LEVELS.join(' / ')}`,
    head: ['traffic', ...cells.map(({ limit, perSecond }) => `${percent(limit)}, ${perSecond}/s`)],
    rows: measured.map(({ name: of, isPromised, fails }) => [
      isPromised ? of : `*${of}*`,
      ...fails.map((cell) => cell.map((count) => percent(count / runs)).join(' / ')),
    ]),
    broken,
    measurements: LEVELS.map((alpha, j) => ({
      what: `verdicts, good candidates failed at alpha ${alpha}, worst of independent, bursty, overdispersed and correlated traffic${watch.measured}`,
      value: (100 * (worst[j] ?? 0)) / runs,
      unit: '%',
    })),
  };
}

export const falseRollbacks = (runs: number): Section => falseRollbacksOf(ALIGNED, runs);

/** One in a thousand needs more rollouts than the other tables to be seen. */
const MORE = 5;

/** As falseRollbacks, at moments that nobody agreed on, as in the operator. */
export const falseRollbacksUnaligned = (runs: number): Section => falseRollbacksOf(UNALIGNED, MORE * runs);

/** At limits so high that a bad second fails whole. */
export const falseRollbacksHigh = (runs: number): Section => falseRollbacksOf(HIGH, MORE * runs);

const WATCHED = 600;

/** Candidates at and beyond the limit: what becomes of them in ten minutes. */
export function missedRegressions(runs: number): Section {
  const [limit, perSecond, risk] = [0.01, 100, { fail: 0.001, pass: 0.05 }];
  const cases = [1, 1.5, 2, 3, 5, 10].flatMap((times) =>
    (['independent', 'bursts: a tenth of the seconds, 10 times the rest'] as const).map((name) => {
      const seen = rollouts(runs, (seed) =>
        watchRate({ traffic: PROMISED[name], rate: limit * times, perSecond, seconds: WATCHED, limit, risk, seed }),
      );
      const part = (verdict: string): number => seen.filter((one) => one.verdict === verdict).length / runs;
      const failed = seen.filter(({ verdict }) => verdict === 'Fail').map(({ second }) => second);
      return { times, name, passed: part('Pass'), failed: part('Fail'), open: part('NeedMore'), seconds: failed };
    }),
  );
  const twice = cases.filter(({ times }) => times >= 2);
  return {
    name: 'missed-regressions',
    title: `Bad candidates, limit 1 %, ${perSecond} requests/s, fail at 0.001, pass at 0.05, up to ten minutes`,
    head: ['true rate', 'traffic', 'passed', 'failed', 'neither', 'seconds to Fail, median'],
    rows: cases.map(({ times, name, passed, failed, open, seconds }) => [
      percent(limit * times),
      name.split(':')[0] ?? '',
      percent(passed),
      percent(failed),
      percent(open),
      failed > 0.5 ? String(quantile(seconds, 0.5)) : '–',
    ]),
    broken: cases
      .filter(({ passed }) => isMoreThan(risk.pass, passed * runs, runs))
      .map(({ times, name, passed }) => `${name}, ${times} times the limit: ${percent(passed)} passed at 0.05`),
    measurements: [
      {
        what: 'verdicts, candidates at twice the limit or worse that passed, worst of independent and bursty traffic',
        value: 100 * Math.max(...twice.map(({ passed }) => passed)),
        unit: '%',
      },
    ],
  };
}

/** Seconds until a Fail of a fault that was there from the start, as the guards count: with the design effect. */
export function detection(runs: number): Section {
  const rates = [1, 0.3, 0.1, 0.05, 0.03];
  const speeds = [3, 10, 100, 1000];
  const risk = { fail: 0.001, pass: NEVER };
  const cell = (rate: number, perSecond: number): string => {
    const seconds = rollouts(runs, (seed) =>
      watchRate({
        traffic: PROMISED.independent,
        rate,
        perSecond,
        seconds: 1200,
        limit: 0.01,
        risk,
        seed,
        unaligned: true,
      }),
    ).map(({ second }) => second);
    return `${quantile(seconds, 0.5)} (${quantile(seconds, 0.99)})`;
  };
  return {
    name: 'detection',
    title: 'Seconds until Fail, limit 1 %, alpha 0.001, looked at twice a second: median (99 of 100)',
    head: ['true rate', ...speeds.map((speed) => `${speed}/s`)],
    rows: rates.map((rate) => [percent(rate), ...speeds.map((speed) => cell(rate, speed))]),
    broken: [],
    measurements: [],
  };
}
