import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { coverage } from './coverage.ts';
import { asText, withTables } from './page.ts';

const FEWEST = 2000;

/** Samples a case: `gates.ts 200` for a quick look, which prints and writes nothing. */
const runs = Number(process.argv[2] ?? FEWEST);
if (!Number.isInteger(runs) || runs < 10) throw new Error('say how many samples a case, 10 at least');

const section = coverage(runs);
console.log(`\n${asText(section)}`);
for (const fault of section.broken) console.error(`BROKEN: ${fault}`);

if (runs >= FEWEST) {
  const folder = join(repositoryRoot, '.bench');
  await mkdir(folder, { recursive: true });
  const result = {
    name: 'gate-intervals',
    measurements: section.measurements.map((m) => ({ ...m, value: Number(m.value.toPrecision(3)) })),
  };
  await writeFile(join(folder, 'gate-intervals.json'), `${JSON.stringify(result, null, 2)}\n`);
  const page = join(repositoryRoot, 'docs', 'gates.md');
  await writeFile(page, withTables(await readFile(page, 'utf8'), [section]));
}
process.exitCode = section.broken.length > 0 ? 1 : 0;
