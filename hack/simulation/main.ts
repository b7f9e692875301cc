import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { comparisonTimes } from './comparisons.ts';
import { falseOpinions, opinionTimes } from './copies.ts';
import { asText, withTables } from './page.ts';
import { falseBlame, falseBlameKnown, falseBlameRare, falseBlameUnaligned, power, sharedFaults } from './pairs.ts';
import {
  detection,
  evidenceNeeded,
  falseRollbacks,
  falseRollbacksHigh,
  falseRollbacksUnaligned,
  missedRegressions,
} from './rates.ts';
import { drawFrom, type Measurement, type Section } from './section.ts';
import { speed } from './speed.ts';

const ALL = {
  evidenceNeeded,
  detection,
  falseRollbacks,
  falseRollbacksUnaligned,
  falseRollbacksHigh,
  opinionTimes,
  falseOpinions,
  missedRegressions,
  power,
  comparisonTimes,
  falseBlame,
  falseBlameUnaligned,
  falseBlameRare,
  falseBlameKnown,
  sharedFaults,
  speed,
};
const FEWEST = 2000;

/**
 * Rollouts a case: `main.ts 200` for a quick look, which prints and writes nothing. A word more: that table alone, or
 * several by commas. A number more: from this seed on, which writes nothing either.
 */
const runs = Number(process.argv[2] ?? FEWEST);
const only = process.argv[3];
const seed = process.argv[4];
if (seed !== undefined) drawFrom(Number(seed));
const wanted = Object.entries(ALL).filter(([name]) => only === undefined || only.split(',').includes(name));
if (wanted.length === 0) throw new Error(`there is no table ${only}: write one of ${Object.keys(ALL).join(', ')}`);
if (!Number.isInteger(runs) || runs < 10) throw new Error('say how many rollouts a case, 10 at least');

const sections: Section[] = [];
for (const [, simulate] of wanted) {
  const section = simulate(runs);
  sections.push(section);
  console.log(`\n${asText(section)}`);
  for (const fault of section.broken) console.error(`BROKEN: ${fault}`);
}

/** What tables that were not simulated now have said before; of a folder without any: nothing. */
async function measuredBefore(file: string): Promise<readonly Measurement[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')).measurements;
  } catch {
    return [];
  }
}

/** In their order, the new ones of each name in place of the old. */
function withNew(before: readonly Measurement[], now: readonly Measurement[]): readonly Measurement[] {
  if (only === undefined) return now;
  const kept = before.map((old) => now.find(({ what }) => what === old.what) ?? old);
  return [...kept, ...now.filter(({ what }) => !before.some((old) => old.what === what))];
}

async function writeMeasurements(): Promise<void> {
  const folder = join(repositoryRoot, '.bench');
  await mkdir(folder, { recursive: true });
  const rounded = (value: number): number => Number(value.toPrecision(3));
  const measurements = sections
    .flatMap((section) => section.measurements)
    .map((m) => ({ ...m, value: rounded(m.value) }));
  const file = join(folder, 'rollout-statistics.json');
  const result = { name: 'rollout-statistics', measurements: withNew(await measuredBefore(file), measurements) };
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

if (runs >= FEWEST && seed === undefined) {
  await writeMeasurements();
  const page = join(repositoryRoot, 'docs', 'statistics.md');
  await writeFile(page, withTables(await readFile(page, 'utf8'), sections));
}
process.exitCode = sections.some(({ broken }) => broken.length > 0) ? 1 : 0;
