import { PROMISED, type Traffic } from '@slipway/operator/domain/analysis/simulation/traffic.ts';
import { type CopiedRollout, failedAfter, TICKS } from '@slipway/operator/domain/guards/simulation/copies.ts';
import { copiesFor } from '@slipway/operator/domain/rollout/secondOpinion.ts';
import { isMoreThan, percent, quantile, rollouts, type Section } from './section.ts';

const LEVELS = [0.05, 0.01, 0.001];
const SECONDS = 120;
const CELLS = [
  { limit: 0.01, perSecond: 1 },
  { limit: 0.01, perSecond: 10 },
  { limit: 0.05, perSecond: 10 },
  { limit: 0.2, perSecond: 10 },
];
/** One in a thousand needs more rollouts than the other tables to be seen. */
const MORE = 5;
/** A fault of both versions is so many times the limit, and stable has nine of ten requests. */
const SHARED = { times: 3, beside: 9 };

interface Row {
  readonly name: string;
  readonly isPromised: boolean;
  readonly traffic: Traffic;
  readonly apart?: boolean;
  readonly alike?: number;
  readonly isShared?: boolean;
}

const INDEPENDENT = PROMISED.independent;
const BURSTS = PROMISED['bursts: a tenth of the seconds, 10 times the rest'];
const CORRELATED = PROMISED['correlated: bad times of 2 s, 3 times the rest'];

const ROWS: readonly Row[] = [
  ...Object.entries(PROMISED).map(([name, traffic]) => ({ name, isPromised: true, traffic })),
  { name: 'bursts, copies have others', isPromised: true, traffic: BURSTS, apart: true },
  { name: 'correlated, copies have other bad times', isPromised: true, traffic: CORRELATED, apart: true },
  { name: 'independent, each request is copied three times', isPromised: true, traffic: INDEPENDENT, alike: 3 },
  { name: 'a fault of both, three times the limit', isPromised: true, traffic: INDEPENDENT, isShared: true },
  { name: 'a fault of both in bursts, three times the limit', isPromised: true, traffic: BURSTS, isShared: true },
  { name: 'independent, each request is copied ten times', isPromised: false, traffic: INDEPENDENT, alike: 10 },
  { name: 'bursts, each request is copied three times', isPromised: false, traffic: BURSTS, alike: 3 },
];

type Asked = Omit<CopiedRollout, 'seed' | 'copies' | 'seconds'>;

const asked = ({ traffic, apart, alike, isShared }: Row, { limit, perSecond }: (typeof CELLS)[number]): Asked => ({
  traffic,
  rate: isShared === true ? SHARED.times * limit : limit,
  limit,
  alphas: LEVELS,
  perSecond,
  ...(apart === undefined ? {} : { apart }),
  ...(alike === undefined ? {} : { alike }),
  ...(isShared === true ? { stablePerSecond: SHARED.beside * perSecond } : {}),
});

/** How many were failed at each level. */
function failed(terms: Asked, runs: number): readonly number[] {
  const copies = copiesFor(terms.perSecond);
  const found = rollouts(runs, (seed) => failedAfter({ ...terms, copies, seconds: SECONDS, seed }));
  return LEVELS.map((_, level) => found.filter((at) => at[level] !== undefined).length);
}

/** Good candidates that were failed although, or because, they were asked with copies. */
export function falseOpinions(few: number): Section {
  const runs = MORE * few;
  const measured = ROWS.map((row) => ({ ...row, cells: CELLS.map((cell) => failed(asked(row, cell), runs)) }));
  const promised = measured.filter(({ isPromised }) => isPromised);
  const broken = promised.flatMap(({ name, cells }) =>
    cells.flatMap((cell, at) =>
      cell.flatMap((count, level) =>
        isMoreThan(LEVELS[level] ?? 0, count, runs)
          ? [`${name}, limit ${CELLS[at]?.limit}: ${count} of ${runs} failed at alpha ${LEVELS[level]}`]
          : [],
      ),
    ),
  );
  return {
    name: 'second-opinions',
    title: `Good candidates failed, of ${runs}, exactly at the limit, asked with copies while in doubt, for ${SECONDS} s, at alpha ${LEVELS.join(' / ')}`,
    head: ['traffic', ...CELLS.map(({ limit, perSecond }) => `${percent(limit)}, ${perSecond}/s`)],
    rows: measured.map(({ name, isPromised, cells }) => [
      isPromised ? name : `*${name}*`,
      ...cells.map((cell) => cell.map((count) => percent(count / runs)).join(' / ')),
    ]),
    broken,
    measurements: LEVELS.map((alpha, level) => ({
      what: `verdicts with a second opinion, good candidates failed at alpha ${alpha}, worst of what is promised`,
      value: (100 * Math.max(...promised.flatMap(({ cells }) => cells.map((cell) => cell[level] ?? 0)))) / runs,
      unit: '%',
    })),
  };
}

const FAULTS = [
  { rate: 0.3, name: 'independent', traffic: INDEPENDENT },
  { rate: 0.1, name: 'independent', traffic: INDEPENDENT },
  { rate: 0.05, name: 'independent', traffic: INDEPENDENT },
  { rate: 0.3, name: 'bursts', traffic: BURSTS },
  { rate: 0.1, name: 'bursts', traffic: BURSTS },
];
const FAULT = { limit: 0.01, perSecond: 10, alpha: 0.001, seconds: 600 };

/** Seconds from the first failure that a user felt to Fail, with copies and without. */
export function opinionTimes(runs: number): Section {
  const { limit, perSecond, alpha, seconds } = FAULT;
  const times = (rate: number, traffic: Traffic, copies: number): readonly number[] =>
    rollouts(runs, (seed) => {
      const [found] = failedAfter({ traffic, rate, limit, alphas: [alpha], perSecond, copies, seconds, seed });
      return found === undefined ? seconds : found / TICKS;
    });
  const measured = FAULTS.map(({ rate, name, traffic }) => ({
    rate,
    name,
    cells: [0, copiesFor(perSecond)].map((copies) => {
      const all = times(rate, traffic, copies);
      return { half: quantile(all, 0.5), most: quantile(all, 0.99) };
    }),
  }));
  const [first] = measured;
  return {
    name: 'second-opinion-times',
    title: `Seconds from the first failure that a user felt to Fail, limit ${percent(limit)}, ${perSecond} requests/s, alpha ${alpha}: median (99 of 100)`,
    head: ['true rate', 'traffic', 'without copies', 'with copies'],
    rows: measured.map(({ rate, name, cells }) => [
      percent(rate),
      name,
      ...cells.map(({ half, most }) => `${half} (${most})`),
    ]),
    broken: measured.flatMap(({ rate, name, cells: [without, withCopies] }) =>
      (withCopies?.most ?? 0) > (without?.most ?? 0) ? [`${name}, ${percent(rate)}: copies make it slower`] : [],
    ),
    measurements: ['without', 'with'].flatMap((which, i) => [
      {
        what: `verdicts ${which} a second opinion, 30 % of 10 requests/s, limit 1 %, alpha 0.001: time from the first failure felt to Fail, median`,
        value: first?.cells[i]?.half ?? Number.NaN,
        unit: 's',
      },
      {
        what: `verdicts ${which} a second opinion, 30 % of 10 requests/s, limit 1 %, alpha 0.001: time from the first failure felt to Fail, 99 of 100`,
        value: first?.cells[i]?.most ?? Number.NaN,
        unit: 's',
      },
    ]),
  };
}
