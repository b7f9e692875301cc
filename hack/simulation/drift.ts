import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { mulberry32 } from '@slipway/operator/domain/analysis/simulation.ts';
import { driftSpec } from '@slipway/operator/domain/drift/builders.ts';
import { minutesToAlarm } from '@slipway/operator/domain/drift/simulation/detection.ts';
import { falseAlarms } from '@slipway/operator/domain/drift/simulation/stationary.ts';
import { calibrationAlarms, calibrationDetection } from './calibration.ts';
import { clumpedAlarms, clumpedDetection } from './clumped.ts';
import { asText, withTables } from './page.ts';
import { quantile, rollouts, type Section } from './section.ts';

const FULL_DAYS = 30;
const RUNS = 100;

/** Days of traffic that does not change: `drift.ts 3` for a quick look, which prints and writes nothing. */
const days = Number(process.argv[2] ?? FULL_DAYS);
if (!Number.isInteger(days) || days < 1) throw new Error('say how many days, 1 at least');

const LIMITS = [
  { name: 'limits by default, at most 1 in 30 days', spec: driftSpec(), budget: days / 30 },
  {
    name: 'limits of 0, at most 1 a day',
    spec: driftSpec({ psi: '0.000001', missing: '0%', falseAlarms: { max: 1, per: '1d' } }),
    budget: days,
  },
] as const;

function alarms(): Section {
  const cases = LIMITS.flatMap((limits) => [1, 5, 25].map((rowsEach) => ({ ...limits, rowsEach })));
  const told = cases.map(({ name, spec, budget, rowsEach }) => {
    const traffic = { spec, days, features: 20, callers: 40, rowsEach, missing: 0.02, random: mulberry32(rowsEach) };
    return { name, budget, rowsEach, ...falseAlarms(traffic) };
  });
  return {
    name: 'drift-false-alarms',
    title: `False alarms in ${days} days of traffic that does not change: 20 features, 40 callers in 5 minutes, a window of 1h`,
    head: ['Limits', 'Rows each caller sends', 'Looks with an alarm', 'Alarms', 'Budget'],
    rows: told.map(({ name, rowsEach, held, begun, budget }) => [
      name,
      String(rowsEach),
      String(held),
      String(begun),
      String(Number(budget.toPrecision(3))),
    ]),
    broken: told
      .filter(({ held, budget }) => held > budget)
      .map(
        ({ name, rowsEach, held, budget }) => `${name}, ${rowsEach} rows: ${held} alarms with a budget of ${budget}`,
      ),
    measurements: [],
  };
}

const TRAFFIC = [
  { rowsAnHour: 240, rowsEach: 1 },
  { rowsAnHour: 2400, rowsEach: 1 },
  { rowsAnHour: 24_000, rowsEach: 1 },
  { rowsAnHour: 24_000, rowsEach: 25 },
] as const;

function detection(): Section {
  const cases = [0.25, 0.4, 1].flatMap((psi) => TRAFFIC.map((traffic) => ({ psi, ...traffic })));
  const told = cases.map((onset) => {
    const waits = rollouts(RUNS, (seed) => minutesToAlarm({ ...onset, features: 20, random: mulberry32(seed) }));
    const known = waits.map((wait) => wait ?? Number.POSITIVE_INFINITY);
    return {
      ...onset,
      median: quantile(known, 0.5),
      late: quantile(known, 0.95),
      missed: waits.filter((w) => !w).length,
    };
  });
  return {
    name: 'drift-detection',
    title: `Minutes from the onset of a drift to its alarm, limits by default, 20 features, a window of 1h, ${RUNS} runs each`,
    head: ['PSI of the new distribution', 'Rows an hour', 'Rows each caller sends', 'Median', '95 %', 'Missed in 5h'],
    rows: told.map(({ psi, rowsAnHour, rowsEach, median, late, missed }) =>
      [psi, rowsAnHour.toLocaleString('en-US'), rowsEach, median, late, missed].map(String),
    ),
    broken: told.filter(({ missed }) => missed > 0).map(({ psi }) => `a drift of psi ${psi} was missed`),
    measurements: [],
  };
}

const sections = [
  alarms(),
  detection(),
  clumpedAlarms(days),
  clumpedDetection(),
  calibrationAlarms(days),
  calibrationDetection(),
];
for (const section of sections) {
  console.log(`\n${asText(section)}`);
  for (const fault of section.broken) console.error(`BROKEN: ${fault}`);
}
if (days >= FULL_DAYS) {
  const page = join(repositoryRoot, 'docs', 'drift.md');
  await writeFile(page, withTables(await readFile(page, 'utf8'), sections));
}
process.exitCode = sections.some(({ broken }) => broken.length > 0) ? 1 : 0;
