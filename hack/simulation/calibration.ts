import { mulberry32 } from '@slipway/operator/domain/analysis/simulation.ts';
import {
  calibrationFalseAlarms,
  type Labelled,
  labelsToAlarm,
} from '@slipway/operator/domain/drift/simulation/labelled.ts';
import { quantile, rollouts, type Section } from './section.ts';

const RUNS = 40;

const LIMITS = [
  { name: 'limit of 5%, at most 1 in 30 days', max: '5%', per: '30d', perDay: 1 / 30 },
  { name: 'limit of 0%, at most 1 a day', max: '0%', per: '1d', perDay: 1 },
  { name: 'limit of 0%, at most 14.4 a day', max: '0%', per: '100m', perDay: 14.4 },
] as const;
const CALLERS = [
  { name: 'independent', alike: 'nothing', labelsEach: 1, labelsAnHour: 2400 },
  { name: '5 of a caller, all the same', alike: 'all', labelsEach: 5, labelsAnHour: 2400 },
  { name: '25 of a caller, all the same', alike: 'all', labelsEach: 25, labelsAnHour: 2400 },
  { name: '25 of a caller, all the same, few callers', alike: 'all', labelsEach: 25, labelsAnHour: 600 },
  { name: '25 of a caller, sharing their luck', alike: 'luck', labelsEach: 25, labelsAnHour: 2400 },
] as const;

/** Alarms about a model that is as sure as it is right, in days of late labels. */
export function calibrationAlarms(days: number): Section {
  const cases = LIMITS.flatMap((limit) => CALLERS.map((callers) => ({ limit, callers })));
  const told = cases.map(({ limit, callers: { name, ...callers } }, i) => {
    const classes = i % 2 === 0 ? 'two' : 'many';
    const traffic: Labelled = { ...callers, classes, random: mulberry32(i + 1) };
    const { labelsAnHour } = callers;
    return {
      name,
      limit,
      labelsAnHour,
      classes,
      budget: days * limit.perDay,
      ...calibrationFalseAlarms(traffic, limit, days),
    };
  });
  return {
    name: 'drift-calibration-false-alarms',
    title: `False alarms in ${days} days of labels of a calibrated model, a window of 1h`,
    head: ['Limit', 'Labels', 'Labels an hour', 'Classes', 'Looks with an alarm', 'Alarms', 'Budget'],
    rows: told.map(({ name, limit, labelsAnHour, classes, held, begun, budget }) => [
      limit.name,
      name,
      labelsAnHour.toLocaleString('en-US'),
      classes,
      String(held),
      String(begun),
      String(Number(budget.toPrecision(3))),
    ]),
    broken: told
      .filter(({ held, budget }) => held > budget)
      .map(({ name, limit, held }) => `calibration, ${limit.name}, labels ${name}: ${held} alarms`),
    measurements: [],
  };
}

const TRAFFIC = [
  { labelsAnHour: 240, labelsEach: 1 },
  { labelsAnHour: 600, labelsEach: 1 },
  { labelsAnHour: 2400, labelsEach: 1 },
  { labelsAnHour: 2400, labelsEach: 5 },
] as const;
const SURELY = 0.15;
const count = (labels: number): string => (Number.isFinite(labels) ? labels.toLocaleString('en-US') : 'none in 24h');

/** Labels from the day that a model becomes too sure of itself to the alarm. */
export function calibrationDetection(): Section {
  const cases = [0.1, 0.15, 0.25].flatMap((excess) => TRAFFIC.map((traffic) => ({ excess, ...traffic })));
  const told = cases.map(({ excess, ...traffic }) => {
    const waits = rollouts(RUNS, (seed) =>
      labelsToAlarm(
        { ...traffic, alike: 'all', classes: 'two', random: mulberry32(seed) },
        { max: '5%', per: '30d' },
        excess,
      ),
    );
    const known = waits.map((wait) => wait ?? Number.POSITIVE_INFINITY);
    const missed = waits.filter((wait) => wait === undefined).length;
    return { excess, ...traffic, median: quantile(known, 0.5), late: quantile(known, 0.95), missed };
  });
  return {
    name: 'drift-calibration-detection',
    title: `Labels until overconfidence is told: limit of 5%, at most 1 false alarm in 30 days, a window of 1h, two classes, ${RUNS} runs each`,
    head: ['Calibration error', 'Labels an hour', 'Equal labels of each caller', 'Median', '95 %', 'Missed in 24h'],
    rows: told.map(({ excess, labelsAnHour, labelsEach, median, late, missed }) => [
      `${Math.round(excess * 100)}%`,
      labelsAnHour.toLocaleString('en-US'),
      String(labelsEach),
      count(median),
      count(late),
      String(missed),
    ]),
    broken: told
      .filter(
        ({ excess, labelsAnHour, labelsEach, missed }) =>
          excess >= SURELY && labelsAnHour / labelsEach >= 600 && missed > 0,
      )
      .map(({ excess }) => `an error of ${excess} was missed`),
    measurements: [],
  };
}
