import { readFileSync } from 'node:fs';

/** The parts of a JSON report of vitest that are read here: https://vitest.dev/guide/reporters#json-reporter */
export interface SuiteResult {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly FileResult[];
}

export interface FileResult {
  /** Absolute path. */
  readonly name: string;
  readonly status: 'passed' | 'failed';
  /** Why the file itself could not run. */
  readonly message: string;
  readonly assertionResults: readonly TestResult[];
}

export interface TestResult {
  readonly fullName: string;
  /** Anything but the two is a test that was not run: skipped, pending, todo. */
  readonly status: 'passed' | 'failed' | (string & {});
}

/** The report at `path`; undefined: the run died before it could write one. */
export function readResult(path: string): SuiteResult | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SuiteResult;
  } catch {
    return undefined;
  }
}

export const failedFiles = ({ testResults }: SuiteResult): readonly FileResult[] =>
  testResults.filter(({ status }) => status === 'failed');

/** The first run with the files of the second in their place, counted anew. */
export function merged(first: SuiteResult, second: SuiteResult): SuiteResult {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const count = (wanted: string): number => statuses.filter((status) => status === wanted).length;
  const [numPassedTests, numFailedTests] = [count('passed'), count('failed')];
  return {
    ...first,
    numTotalTests: statuses.length,
    numPassedTests,
    numFailedTests,
    numPendingTests: statuses.length - numPassedTests - numFailedTests,
    success: testResults.every(({ status }) => status === 'passed'),
    testResults,
  };
}
