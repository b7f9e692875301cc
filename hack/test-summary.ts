/**
 * Prints the closing line of `make test`: the sum over the suites that ran. A suite that wrote no result, or one in
 * which nothing ran, is a failure: silence must never read as success.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECOND_TRIES } from './suites/secondTry.ts';

interface SuiteResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

const EXPECTED = ['unit', 'stores', 'conformance', 'container', 'integration', 'e2e'].map((suite) => `${suite}.json`);

const directory = process.argv[2] ?? '.cache/test-results';
const present = readdirSync(directory);
const missing = EXPECTED.filter((name) => !present.includes(name));
const suites = present.map((name) => ({
  name,
  result: JSON.parse(readFileSync(join(directory, name), 'utf8')) as SuiteResult,
}));
const empty = suites
  .filter(({ result }) => result.numPassedTests + result.numFailedTests === 0)
  .map(({ name }) => name);
const sum = (field: keyof SuiteResult): number => suites.reduce((total, { result }) => total + result[field], 0);

for (const { name, result } of suites) {
  console.log(
    `${name.replace('.json', '').padEnd(12)} ${result.numPassedTests} passed, ${result.numFailedTests} failed`,
  );
}
for (const name of missing) console.log(`${name.replace('.json', '').padEnd(12)} did not run`);
for (const name of empty) console.log(`${name.replace('.json', '').padEnd(12)} ran no test`);

if (existsSync(SECOND_TRIES)) console.log(readFileSync(SECOND_TRIES, 'utf8').trimEnd());

const failed = sum('numFailedTests') + missing.length + empty.length;
console.log(`${sum('numPassedTests')} passed, ${failed} failed, ${sum('numPendingTests')} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
