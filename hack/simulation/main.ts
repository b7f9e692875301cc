import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { asText, withTables } from './page.ts';
import { falseBlame, power, sharedFaults } from './pairs.ts';
import { detection, evidenceNeeded, falseRollbacks, falseRollbacksUnaligned, missedRegressions } from './rates.ts';
import type { Section } from './section.ts';
import { speed } from './speed.ts';

const ALL = {
  evidenceNeeded,
  detection,
  falseRollbacks,
  falseRollbacksUnaligned,
  missedRegressions,
  power,
  falseBlame,
  sharedFaults,
  speed,
};
const FEWEST = 2000;

/** Rollouts a case: `main.ts 200` for a quick look, which prints and writes nothing. */
const runs = Number(process.argv[2] ?? FEWEST);
if (!Number.isInteger(runs) || runs < 10) throw new Error('say how many rollouts a case, 10 at least');

const sections: Section[] = [];
for (const simulate of Object.values(ALL)) {
  const section = simulate(runs);
  sections.push(section);
  console.log(`\n${asText(section)}`);
  for (const fault of section.broken) console.error(`BROKEN: ${fault}`);
}

if (runs >= FEWEST) {
  const folder = join(repositoryRoot, '.bench');
  await mkdir(folder, { recursive: true });
  const rounded = (value: number): number => Number(value.toPrecision(3));
  const measurements = sections
    .flatMap((section) => section.measurements)
    .map((m) => ({ ...m, value: rounded(m.value) }));
  const result = { name: 'rollout-statistics', measurements };
  await writeFile(join(folder, 'rollout-statistics.json'), `${JSON.stringify(result, null, 2)}\n`);
  const page = join(repositoryRoot, 'docs', 'statistics.md');
  await writeFile(page, withTables(await readFile(page, 'utf8'), sections));
}
process.exitCode = sections.some(({ broken }) => broken.length > 0) ? 1 : 0;
