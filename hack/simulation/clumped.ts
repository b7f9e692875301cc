import { mulberry32 } from '@slipway/operator/domain/analysis/simulation.ts';
import {
  CLUMPED_FAULTS,
  clumpedFalseAlarms,
  minutesToFault,
} from '@slipway/operator/domain/drift/simulation/clumped.ts';
import { quantile, rollouts, type Section } from './section.ts';

const RUNS = 6;
const WAITS = 40;
const ROWS_EACH = 300;
/** Callers in five minutes from which on the budget is promised. */
const PROMISED_FROM = 3;
/** Of what training had as well: a caller out of its range, or in a new category, is one that it lacked. */
const PROMISED: readonly string[] = ['missing', 'outliers'];

const LIMITS = [
  { limit: '5%', habit: 0.02 },
  { limit: '1%', habit: 0.005 },
] as const;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Looks with an alarm about faults that some of few callers always had. */
export function clumpedAlarms(days: number): Section {
  const cases = CLUMPED_FAULTS.flatMap((fault) =>
    LIMITS.flatMap((limit) => [1, 3, 10].map((callers) => ({ fault, ...limit, callers }))),
  );
  const told = cases.map((one) => {
    const runs = rollouts(RUNS, (seed) =>
      clumpedFalseAlarms({ ...one, rowsEach: ROWS_EACH, random: mulberry32(seed) }, { max: 1, per: `${days}d` }, days),
    );
    return { ...one, held: mean(runs), most: Math.max(...runs) };
  });
  return {
    name: 'drift-clumped-false-alarms',
    title: `Looks with an alarm in ${days} days about what some of few callers of ${ROWS_EACH} rows always had, budget 1, ${RUNS} runs each`,
    head: ['Fault', 'Limit', 'Callers with the fault', 'Callers in 5 minutes', 'Looks, mean', 'Most of a run'],
    rows: told.map(({ fault, limit, habit, callers, held, most }) =>
      [fault, limit, `${habit * 100}%`, callers, Number(held.toPrecision(2)), most].map(String),
    ),
    broken: told
      .filter(({ fault, held, callers }) => PROMISED.includes(fault) && callers >= PROMISED_FROM && held > 1)
      .map(({ fault, limit, callers }) => `${fault} of ${limit}, ${callers} callers: more than one look on average`),
    measurements: [],
  };
}

const TRAFFIC = [
  { callers: 100, rowsEach: 1, habit: 0 },
  { callers: 100, rowsEach: 1, habit: 0.02 },
  { callers: 3, rowsEach: 300, habit: 0 },
  { callers: 10, rowsEach: 300, habit: 0.02 },
  { callers: 3, rowsEach: 300, habit: 0.02 },
] as const;

const minutes = (wait: number): string => (Number.isFinite(wait) ? String(wait) : 'none in 24h');

/** Minutes until a feature that begins to be missing is told. */
export function clumpedDetection(): Section {
  const cases = [1, 0.3].flatMap((broken) => TRAFFIC.map((traffic) => ({ broken, ...traffic })));
  const told = cases.map(({ broken, ...traffic }) => {
    const waits = rollouts(WAITS, (seed) =>
      minutesToFault({ ...traffic, fault: 'missing', limit: '10%', random: mulberry32(seed) }, broken),
    ).map((wait) => wait ?? Number.POSITIVE_INFINITY);
    return { broken, ...traffic, median: quantile(waits, 0.5), late: quantile(waits, 0.95) };
  });
  return {
    name: 'drift-missing-detection',
    title: `Minutes until a feature that begins to be missing is told: limit of 10%, 40 questions, a window of 1h, ${WAITS} runs each`,
    head: [
      'Missing from now on',
      'Callers that always lacked it',
      'Callers in 5 minutes',
      'Rows each',
      'Median',
      '95 %',
    ],
    rows: told.map(({ broken, habit, callers, rowsEach, median, late }) =>
      [`${broken * 100}%`, `${habit * 100}%`, callers, rowsEach, minutes(median), minutes(late)].map(String),
    ),
    broken: told
      .filter(({ broken, median }) => broken === 1 && !(median <= 60))
      .map(({ callers }) => `a feature that vanished was not told within a window, ${callers} callers`),
    measurements: [],
  };
}
