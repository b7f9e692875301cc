import { type Fault, faultOf } from '../load/ledger.ts';
import { rollOut, sameBytesAs } from './rollout.ts';
import type { Stage } from './stage.ts';
import type { Traffic } from './traffic.ts';

/** A version that fails 30 % of its requests gets 10 % of them, and may fail 1 %. */
export const FAILING = { kind: 'failing', share: 0.3 } as const;
export const CANARY_POLICY = {
  steps: [{ weight: 10 }, { weight: 100 }],
  guards: [{ name: 'errors', errors: { max: '1%' } }],
};

/** A faulty version as callers felt it, once. */
export interface Detection extends Fault {
  /** From the first server error that a caller got to the last answer of the version. */
  readonly faultToZeroMs: number;
}

export function detectionIn(answers: Parameters<typeof faultOf>[0], version: string): Detection {
  const fault = faultOf(answers, version);
  if (fault === undefined) throw new Error(`version ${version} never failed, so nothing can be measured`);
  return { ...fault, faultToZeroMs: fault.lastAnswerAt - fault.firstFaultAt };
}

/**
 * Rolls a faulty version out and waits until it was rolled back. The same bytes can be rolled out again: another `run`
 * is another revision, which nobody has rejected yet.
 */
export async function detect(
  stage: Stage,
  traffic: Traffic,
  { name, from, to, run }: { name: string; from: string; to: string; run: number },
): Promise<Detection> {
  const before = traffic.answers.length;
  const { predictor } = sameBytesAs(to, 60 + run);
  await rollOut(stage, traffic, { name, from, to, goal: 'RolledBack', policy: CANARY_POLICY, predictor });
  await traffic.hear(100);
  return detectionIn(traffic.answers.slice(before), to);
}
