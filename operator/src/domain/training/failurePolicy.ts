import type { PodFailure } from '../workload/podEnd.ts';

/** What the rules look at when an attempt has ended badly. */
export interface Setback {
  /** The first pod that failed; undefined when the Job or its pods are gone. */
  readonly failure: PodFailure | undefined;
  /** What the Job says, for when no pod is left to ask. */
  readonly jobMessage: string;
  /** Attempts started after the first, and how many there may be. */
  readonly restarts: number;
  readonly budget: number;
  readonly fatalExitCodes: readonly number[];
  /** The memory limit of the training container, if it has one. */
  readonly memoryLimit: string | undefined;
}

export type Consequence =
  | { readonly kind: 'Restart'; readonly reason: string; readonly message: string }
  | { readonly kind: 'GiveUp'; readonly reason: string; readonly message: string };

interface FailureRule {
  readonly name: string;
  readonly when: (s: Setback) => boolean;
  readonly leadsTo: (s: Setback) => Consequence;
}

/** The cause as a condition reason: what the container named itself, else what killed it. */
function causeOf({ failure }: Setback): string {
  if (failure === undefined) return 'AttemptLost';
  if (failure.outOfMemory) return 'OutOfMemory';
  if (failure.reason !== undefined) return failure.reason;
  return failure.disrupted ? 'Disrupted' : 'TrainingFailed';
}

/** The cause as a sentence: which pod, which exit code, and its last words. */
function sentenceOf({ failure, jobMessage }: Setback): string {
  if (failure === undefined) return jobMessage;
  const how = failure.outOfMemory
    ? 'was killed for want of memory'
    : failure.exitCode === undefined
      ? 'was ended before it could exit'
      : `failed with exit code ${failure.exitCode}`;
  return `Pod ${failure.pod} ${how}${failure.message === '' ? '.' : `: ${failure.message}`}`;
}

const giveUp = (s: Setback, why: string): Consequence => ({
  kind: 'GiveUp',
  reason: causeOf(s),
  message: `${sentenceOf(s)} ${why}`.trim(),
});

const restart = (s: Setback): Consequence => ({
  kind: 'Restart',
  reason: causeOf(s),
  message: `${sentenceOf(s)} Restart ${s.restarts + 1} of ${s.budget}.`,
});

/** First match wins. The budget stands in the TrainingJob's own status: a child that is deleted can't reset it. */
export const FAILURE_RULES: readonly FailureRule[] = [
  {
    name: 'an exit code that the user calls fatal is final',
    when: ({ failure, fatalExitCodes }) => failure?.exitCode !== undefined && fatalExitCodes.includes(failure.exitCode),
    leadsTo: (s) => giveUp(s, 'The exit code is listed in failure.fatalExitCodes.'),
  },
  {
    name: 'a pod over its own memory limit meets the same limit again',
    when: ({ failure, memoryLimit }) => failure?.outOfMemory === true && memoryLimit !== undefined,
    leadsTo: (s) => giveUp(s, `Raise resources.limits.memory over ${s.memoryLimit}, or make the batches smaller.`),
  },
  {
    name: 'while restarts are left the whole gang starts again',
    when: ({ restarts, budget }) => restarts < budget,
    leadsTo: restart,
  },
  {
    name: 'no restart is left',
    when: () => true,
    leadsTo: (s) => giveUp(s, s.budget === 0 ? '' : `All ${s.budget} restarts are used.`),
  },
];

const FINAL = FAILURE_RULES.at(-1) as FailureRule;

/** What an attempt's bad end leads to. */
export const consequenceOf = (setback: Setback): Consequence =>
  (FAILURE_RULES.find(({ when }) => when(setback)) ?? FINAL).leadsTo(setback);
