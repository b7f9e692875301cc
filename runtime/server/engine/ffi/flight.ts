import type { TensorValue } from '../../tensor.ts';
import type { EngineErrorKind } from '../engine.ts';
import { type Cells, cells } from './cells.ts';
import { check, created, type Library, LOG_FATAL } from './library.ts';
import type { FetchPlan } from './outputPlan.ts';

/** Ends of a run other than its own. */
export type Ending = Extract<EngineErrorKind, 'Cancelled' | 'EngineLost'>;

/**
 * One run and the native things it needs, which are made once and used for run after run. Everything that native code
 * reads or writes during a run is held here until it has ended.
 */
export interface Flight {
  readonly runOptions: bigint;
  readonly inputNames: Cells;
  /** OrtValue of each input and output; 0 where there is none. */
  readonly inputs: Cells;
  readonly outputs: Cells;
  inputCount: number;
  plan: FetchPlan;
  /** Inputs in shared memory, and outputs where their shape was known. */
  given: readonly TensorValue[];
  answers: (TensorValue | undefined)[];
  startedAt: number;
  ending: Ending | undefined;
  /** Answered already, although native code has not come back. */
  isAbandoned: boolean;
  resolve: (outputs: readonly TensorValue[]) => void;
  reject: (error: unknown) => void;
  stopListening: (() => void) | undefined;
  landed: (error: unknown, status: bigint | null) => void;
}

const nothing = () => undefined;
export const NO_PLAN: FetchPlan = { outputs: [], names: { strings: [], pointers: cells(0) } };

/** Run config entries are set once; `terminate` alone changes from run to run. */
export function createFlight(
  { api }: Library,
  inputCount: number,
  outputCount: number,
  entries: Readonly<Record<string, string>>,
): Flight {
  const runOptions = created(api, cells(1), (at) => api.CreateRunOptions(at));
  check(api, api.RunOptionsSetRunLogSeverityLevel(runOptions, LOG_FATAL));
  for (const [key, value] of Object.entries(entries)) check(api, api.AddRunConfigEntry(runOptions, key, value));
  return {
    runOptions,
    inputNames: cells(inputCount),
    inputs: cells(inputCount),
    outputs: cells(outputCount),
    inputCount: 0,
    plan: NO_PLAN,
    given: [],
    answers: [],
    startedAt: 0,
    ending: undefined,
    isAbandoned: false,
    resolve: nothing,
    reject: nothing,
    stopListening: undefined,
    landed: nothing,
  };
}
