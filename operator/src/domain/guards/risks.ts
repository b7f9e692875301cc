import type { InferenceServiceSpec } from '@slipway/crds';
import { lookShare } from '../analysis/shift.ts';
import type { Risk } from '../analysis/verdict.ts';

/** What a question about requests may spend at a step. */
export interface StepRisks {
  readonly step: Risk;
  /** Of the windows of recent evidence that the step is cut into, the one with this number. */
  readonly recent: (window: number) => Risk;
}

/** What one question may spend, by the evidence it is asked about: of these fields a question uses one. */
export interface QuestionRisks {
  /** Since the rollout began, and nothing else. */
  readonly whole: Risk;
  /** Requests held against a limit: since the rollout began, and at each step as well. */
  readonly requests: StepRisks & { readonly rollout: Risk };
  /** Requests held against those of the stable version: at each step only. */
  readonly compared: StepRisks;
  /** Counted outside the pods, since the step began. */
  readonly outside: Risk;
  /** Answers compared in shadow, since the step began. */
  readonly shadow: Risk;
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

/** Half for all that a step saw, half for its windows of recent evidence, of which each later one gets less: there is no last. */
const atSteps = (fail: number, pass: number): StepRisks => ({
  step: { fail: fail / 2, pass },
  recent: (window) => ({ fail: (fail / 2) * lookShare(window), pass }),
});

/**
 * The rollout promises one bound on a false rollback, over all guards, questions, steps and looks. It is split evenly
 * over the questions (union bound; observed guards count as well, so that taking `observe` away changes no verdict).
 * A question about requests spends half of its part on evidence since the rollout began, which finds small faults, and
 * half on that of the steps, which finds at once a fault that only this step brings out; half of a step's part goes to
 * the last seconds of it, which find at once a fault that comes late.
 */
export function risksOf(rollout: InferenceServiceSpec['rollout'], questions: number): QuestionRisks {
  const { confidence } = rollout;
  const fail = (1 - Number(confidence.fail)) / Math.max(1, questions);
  const pass = 1 - Number(confidence.pass);
  const windows = windowsOf(rollout);
  return {
    whole: { fail, pass },
    requests: { rollout: { fail: fail / 2, pass }, ...atSteps(fail / 2 / windows, pass) },
    compared: atSteps(fail / windows, pass),
    outside: { fail: fail / windows, pass },
    shadow: { fail: fail / shadowsOf(rollout), pass },
  };
}
