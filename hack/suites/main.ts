/**
 * Runs a suite of tests as `make unit` and `make e2e` do, and writes its results for hack/test-summary.ts, under the name
 * of the first project: node hack/suites/main.ts <vitest project>[,<another of the same run>] [options and files of vitest]
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../local-cluster/paths.ts';
import { readResult } from './result.ts';
import { type Attempt, SECOND_TRIES, withSecondTry } from './secondTry.ts';
import { UNHANDLED } from './unhandledErrors.ts';

const [named = '', ...asked] = process.argv.slice(2);
const projects = named.split(',');
const isOption = (word: string): boolean => word.startsWith('-');
const output = `.cache/test-results/${projects[0]}.json`;
const REPORTERS = ['--reporter=default', '--reporter=json', '--reporter=./hack/suites/unhandledErrors.ts'];

const vitest = (words: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const of = projects.flatMap((name) => ['--project', name]);
    const args = ['run', ...REPORTERS, `--outputFile.json=${output}`, ...of, ...words];
    const child = spawn(join(repositoryRoot, 'node_modules', '.bin', 'vitest'), args, {
      cwd: repositoryRoot,
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });

async function attempt(files: readonly string[] = []): Promise<Attempt> {
  for (const file of [output, UNHANDLED]) rmSync(file, { force: true });
  if (files.length > 0) console.error(`\na second try, of these files alone: ${files.join(' ')}\n`);
  const exitCode = await vitest(files.length > 0 ? [...asked.filter(isOption), ...files] : asked);
  return { exitCode, result: readResult(output), unhandled: existsSync(UNHANDLED) };
}

process.chdir(repositoryRoot);
mkdirSync(dirname(output), { recursive: true });
const mayTryAgain = process.env['CI'] === 'true';
const { exitCode, result, neededSecondTry } = await withSecondTry({ attempt, mayTryAgain, root: repositoryRoot });
if (result !== undefined) writeFileSync(output, JSON.stringify(result));
for (const line of neededSecondTry) {
  console.error(line);
  appendFileSync(SECOND_TRIES, `${line}\n`);
}
process.exitCode = exitCode;
