import { ENV } from '@slipway/crds/contract';
import { Failure, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import type { Environment } from './environment.ts';

/** What a program that runs once and ends sees of the world; main.ts hands in the real one. */
export interface Surroundings {
  readonly env: Environment;
  readonly now: () => number;
  /** A line of progress. */
  readonly say: (line: string) => void;
  /** A line about what went wrong. */
  readonly complain: (line: string) => void;
}

export const terminationLogOf = (env: Environment): string => env[ENV.terminationLog] ?? TERMINATION_LOG;

/** What was asked is wrong and will be on every restart: EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

/**
 * Runs the work and returns the exit code. A named failure is said and left as the termination message; an error
 * without a name is a bug and is thrown on, for its stack.
 */
export async function exitCodeOf({ env, complain }: Surroundings, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    complain(error.message);
    await writeTermination(terminationLogOf(env), error);
    return error.reason === 'ConfigurationInvalid' ? EXIT_USAGE : 1;
  }
}
