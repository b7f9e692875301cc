import { relative } from 'node:path';
import { type FileResult, failedFiles, merged, type SuiteResult } from './result.ts';

/** Where the files of a run that needed a second try are written down, for its closing lines. */
export const SECOND_TRIES = '.cache/second-tries.log';

/** More files than these are no slow second of a shared machine. */
const MOST_FILES = 3;

/** What came of one run of vitest: its exit code, its report where it wrote one, and errors outside of any test. */
export interface Attempt {
  readonly exitCode: number;
  readonly result: SuiteResult | undefined;
  readonly unhandled: boolean;
}

export interface Surroundings {
  /** One run in a process of its own; without files, of the whole suite. */
  readonly attempt: (files?: readonly string[]) => Promise<Attempt>;
  /** At a desk none is given: a flaky test is to be seen at once. */
  readonly mayTryAgain: boolean;
  readonly root: string;
}

export interface Ended {
  readonly exitCode: number;
  readonly result: SuiteResult | undefined;
  /** A line for each file that failed, and passed in a process of its own. */
  readonly neededSecondTry: readonly string[];
}

const told = (root: string, { name, message, assertionResults }: FileResult): string => {
  const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName.trim());
  const what = failed.length === 0 ? [message.split('\n')[0] ?? ''] : failed;
  return `needed a second try: ${relative(root, name)} > ${what.join('; ')}`;
};

/**
 * Runs a suite, and once more the files that failed. A whole file, as a test may build on what those before it left; in
 * another process with another control plane, as a test that failed leaves objects behind that the next try finds.
 */
export async function withSecondTry({ attempt, mayTryAgain, root }: Surroundings): Promise<Ended> {
  const first = await attempt();
  const { exitCode, result, unhandled } = first;
  const failed = result === undefined ? [] : failedFiles(result);
  const hopeless = exitCode === 0 || unhandled || result === undefined || failed.length === 0;
  if (hopeless || !mayTryAgain || failed.length > MOST_FILES) return { exitCode, result, neededSecondTry: [] };

  const second = await attempt(failed.map(({ name }) => name));
  if (second.result === undefined) return { exitCode: second.exitCode || 1, result, neededSecondTry: [] };
  const whole = merged(result, second.result);
  const ran = new Set(second.result.testResults.map(({ name }) => name));
  const isWell = second.exitCode === 0 && whole.success && failed.every(({ name }) => ran.has(name));
  const stillFailed = new Set(failedFiles(whole).map(({ name }) => name));
  const mended = failed.filter(({ name }) => ran.has(name) && !stillFailed.has(name));
  return {
    exitCode: isWell ? 0 : second.exitCode || 1,
    result: whole,
    neededSecondTry: mended.map((file) => told(root, file)),
  };
}
