import { sentenceOf } from '../../artifact/failure.ts';
import { EngineError } from '../engine/engine.ts';
import type { Request } from './request.ts';

export interface Verdict {
  readonly failed: readonly Request[];
  /** Runs to be made, each of requests that may share it. */
  readonly again: readonly (readonly Request[])[];
}

/** A request under which the engine was lost this often has done it. */
const LOSSES = 2;

/**
 * Who gets the error of a failed run. A batch that the model refused is halved until only the guilty stand alone: at most
 * 2·log2(k) further runs of a batch of k for one guilty request, never more than 2k − 2. An engine that died under a
 * batch is not risked that often: everyone runs again alone, so a request that kills the engine does it twice and
 * fails, and the others are answered. Any other error is nobody's fault and goes to all.
 *
 * `members` are those who still wait. `shared` says whether the run had others: who waits alone may be innocent too, since
 * the guilty may have gone.
 */
export function afterFailure(error: EngineError, members: readonly Request[], shared: boolean): Verdict {
  if (error.kind === 'EngineLost') return afterLoss(members);
  const refused = error.kind === 'ModelFailed' || error.kind === 'InvalidInput';
  if (!refused || !shared || members.length === 0) return { failed: members, again: [] };
  const middle = Math.ceil(members.length / 2);
  const halves = [members.slice(0, middle), members.slice(middle)];
  return { failed: [], again: halves.filter((half) => half.length > 0) };
}

function afterLoss(members: readonly Request[]): Verdict {
  for (const member of members) member.losses += 1;
  return {
    failed: members.filter(({ losses }) => losses >= LOSSES),
    again: members.filter(({ losses }) => losses < LOSSES).map((member) => [member]),
  };
}

/** What a backend threw that is none of our errors is the model's fault: nobody else was there. */
export const engineErrorOf = (error: unknown): EngineError =>
  error instanceof EngineError ? error : new EngineError('ModelFailed', sentenceOf(error));
