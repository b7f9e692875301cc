import type { InferenceServiceSpec } from '@slipway/crds';
import type { Risk } from '../analysis/verdict.ts';

/** What one question may spend, by the windows it is asked over. Use either `whole`, or `rollout` with `step`, or one of the rest. */
export interface QuestionRisks {
  /** Asked over the whole rollout, and over nothing else. */
  readonly whole: Risk;
  /** Asked over the whole rollout, and at each step as well. */
  readonly rollout: Risk;
  /** A step's part of a question that is asked over the whole rollout as well. */
  readonly step: Risk;
  /** A step's part of a question that is asked at each step only. */
  readonly stepAlone: Risk;
  /** A shadow step's part of a question that is asked at shadow steps only. */
  readonly shadowStep: Risk;
}

/**
 * Windows in which a candidate may be judged. Each step begins one, and another when the gateway has programmed its
 * weight; so does the bake.
 */
const windowsOf = ({ steps }: InferenceServiceSpec['rollout']): number => 2 * (steps.length + 1);

/** Each step before the first weight may be one in which answers are compared: an approval goes on with the copies of the step before it. */
const shadowsOf = ({ steps }: InferenceServiceSpec['rollout']): number =>
  Math.max(
    1,
    steps.findIndex(({ weight }) => weight !== undefined),
  );

/**
 * The rollout promises one bound on a false rollback, over all guards, questions, steps and looks. It is split evenly
 * over the questions (union bound; observed guards count as well, so that taking `observe` away changes no verdict).
 * A question about requests spends half of its part on evidence since the rollout began, which finds small faults, and
 * half on that of each step, which finds at once a fault that only this step brings out.
 */
export function risksOf(rollout: InferenceServiceSpec['rollout'], questions: number): QuestionRisks {
  const { confidence } = rollout;
  const fail = (1 - Number(confidence.fail)) / Math.max(1, questions);
  const pass = 1 - Number(confidence.pass);
  const windows = windowsOf(rollout);
  return {
    whole: { fail, pass },
    rollout: { fail: fail / 2, pass },
    step: { fail: fail / 2 / windows, pass },
    stepAlone: { fail: fail / windows, pass },
    shadowStep: { fail: fail / shadowsOf(rollout), pass },
  };
}
