import { appendFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';

/** Where errors outside of any test are noted: the JSON report has none of them. */
export const UNHANDLED = '.cache/unhandled-errors.log';

/** Notes errors outside of any test: nobody can say which file is to be run again for them. */
export default class UnhandledErrors implements Reporter {
  onTestRunEnd(_modules: readonly unknown[], errors: readonly { readonly message?: string }[]): void {
    for (const { message = '' } of errors) appendFileSync(UNHANDLED, `${message}\n`);
  }
}
