import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

/** Where the tests of a run that needed a second try are written down, for its closing lines. */
export const SECOND_TRIES = '.cache/second-tries.log';

/**
 * In CI a test of the pure parts or of the machinery that fails gets a second try, as one slow second of a shared
 * machine is no news. It is not forgotten: each is printed here and again at the end, and is a fault to be looked for.
 */
export default class SecondTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const line = `needed a second try: ${test.module.relativeModuleId} > ${test.fullName}`;
    console.error(line);
    appendFileSync(SECOND_TRIES, `${line}\n`);
  }
}
