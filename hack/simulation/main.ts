import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { asText, withTables } from './page.ts';
import { falseBlame, falseBlameUnaligned, power, sharedFaults } from './pairs.ts';
import {
  detection,
  evidenceNeeded,
  falseRollbacks,
  falseRollbacksHigh,
  falseRollbacksUnaligned,
  missedRegressions,
} from './rates.ts';
import type { Section } from './section.ts';
import { speed } from './speed.ts';

const ALL = {
  evidenceNeeded,
  detection,
  falseRollbacks,
  falseRollbacksUnaligned,
  falseRollbacksHigh,
  missedRegressions,
  power,
  falseBlame,
  falseBlameUnaligned,
  sharedFaults,
  speed,
};
const FEWEST = 2000;

/** Rollouts a case: `main.ts 200` for a quick look, which prints and writes nothing. A word more: that table alone. */
const runs = Number(process.argv[2] ?? FEWEST);
const only = process.argv[3];
const wanted = Object.entries(ALL).filter(([name]) => only === undefined || name === only);
if (wanted.length === 0) throw new Error(`there is no table ${only}: write one of ${Object.keys(ALL).join(', ')}`);
if (!Number.isInteger(runs) || runs < 10) throw new Error('say how many rollouts a case, 10 at least');

const sections: Section[] = [];
for (const [, simulate] of wanted) {
  const section = simulate(runs);
  sections.push(section);
  console.log(`\n${asText(section)}`);
  for (const fault of section.broken) console.error(`BROKEN: ${fault}`);
}

async function writeMeasurements(): Promise<void> {
  const folder = join(repositoryRoot, '.bench');
  await mkdir(folder, { recursive: true });
  const rounded = (value: number): number => Number(value.toPrecision(3));
  const measurements = sections
    .flatMap((section) => section.measurements)
    .map((m) => ({ ...m, value: rounded(m.value) }));
  const result = { name: 'rollout-statistics', measurements };
  await writeFile(join(folder, 'rollout-statistics.json'), `${JSON.stringify(result, null, 2)}\n`);
}

if (runs >= FEWEST) {
  if (only === undefined) await writeMeasurements();
  const page = join(repositoryRoot, 'docs', 'statistics.md');
  await writeFile(page, withTables(await readFile(page, 'utf8'), sections));
}
process.exitCode = sections.some(({ broken }) => broken.length > 0) ? 1 : 0;
