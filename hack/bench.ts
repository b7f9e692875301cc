import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNumbers } from './bench/numbers.ts';
import { repositoryRoot } from './local-cluster/paths.ts';

/**
 * Each prints a table and writes .bench/<name>.json. One after another: they share the machine. The model server is
 * measured beside its peers (`make bench-runtime`), for its speed alone says little.
 */
const USUAL = ['e2e/bench/live.ts', 'e2e/bench/reconcile.ts'];

const passed = (bench: string): Promise<boolean> =>
  new Promise((resolve) => {
    console.log(`\n${bench}`);
    const child = spawn(process.execPath, [join(repositoryRoot, bench)], { cwd: repositoryRoot, stdio: 'inherit' });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });

const asked = process.argv.slice(2);
/** `none` only takes what the folder holds into the table. */
const benches = asked[0] === 'none' ? [] : asked.length > 0 ? asked : USUAL;

const failed: string[] = [];
for (const bench of benches) if (!(await passed(bench))) failed.push(bench);

const folder = join(repositoryRoot, '.bench');
const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
await writeNumbers(texts.map((text) => JSON.parse(text)));

for (const bench of failed) console.error(`${bench} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
