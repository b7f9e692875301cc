import type { FailureClass, TrainingJobSpec } from '@slipway/crds';
import { type Cause, causeText } from './cause.ts';

/** What the rules look at when an attempt has ended badly. */
export interface Setback {
  readonly cause: Cause;
  readonly policy: Pick<TrainingJobSpec['failure'], 'restarts' | 'disruptions' | 'onDisruption' | 'fatalExitCodes'>;
  /** Attempts that failures of the training, and disruptions, have cost so far. */
  readonly restarts: number;
  readonly disruptions: number;
  /** The memory limit of the training container, if it has one. */
  readonly memoryLimit: string | undefined;
}

export type Budget = 'restarts' | 'disruptions';

export type Consequence =
  /** Another attempt, counted under `budget`; `elsewhere`: without the node. */
  | { readonly kind: 'Restart'; readonly budget: Budget; readonly elsewhere: boolean; readonly message: string }
  | { readonly kind: 'GiveUp'; readonly message: string };

interface FailureRule {
  readonly name: string;
  readonly when: (s: Setback) => boolean;
  readonly leadsTo: (s: Setback) => Consequence;
}

/** Ends that say nothing of the training: the machine, or somebody, took the pods away. */
export const DISRUPTIONS: readonly FailureClass[] = ['Disrupted', 'NodeLost', 'AttemptLost', 'AcceleratorFault'];

const isDisruption = ({ cause }: Setback): boolean => DISRUPTIONS.includes(cause.class);

const giveUp =
  (why: (s: Setback) => string) =>
  (s: Setback): Consequence => ({ kind: 'GiveUp', message: `${sentence(s)} ${why(s)}`.trim() });

/** Ends with a full stop, so that another sentence can follow. */
const sentence = ({ cause }: Setback): string => causeText(cause).replace(/[.\s]*$/, '.');

const restart =
  (budget: Budget) =>
  (s: Setback): Consequence => {
    const elsewhere = s.cause.nodeToBlame && s.cause.node !== undefined;
    const what = budget === 'restarts' ? 'Restart' : 'Disruption';
    const where = elsewhere ? `, without node ${s.cause.node}` : '';
    const message = `${sentence(s)} ${what} ${s[budget] + 1} of ${s.policy[budget]}${where}.`;
    return { kind: 'Restart', budget, elsewhere, message };
  };

const used = (budget: Budget) =>
  giveUp(({ policy }) => (policy[budget] === 0 ? '' : `All ${policy[budget]} ${budget} are used.`));

/** First match wins. The budgets stand in the TrainingJob's own status: a child that is deleted can't reset them. */
export const FAILURE_RULES: readonly FailureRule[] = [
  {
    name: 'an exit code that the user calls fatal is final',
    when: ({ cause, policy }) =>
      cause.exitCode !== undefined && policy.fatalExitCodes?.includes(cause.exitCode) === true,
    leadsTo: giveUp(() => 'The exit code is listed in failure.fatalExitCodes.'),
  },
  {
    name: 'what only people can mend is not tried again',
    when: ({ cause }) => cause.remedy !== undefined,
    leadsTo: giveUp(({ cause }) => cause.remedy ?? ''),
  },
  {
    name: 'a pod over its own memory limit meets the same limit again',
    when: ({ cause, memoryLimit }) => cause.class === 'OutOfMemory' && memoryLimit !== undefined,
    leadsTo: giveUp(
      ({ memoryLimit }) => `Raise resources.limits.memory over ${memoryLimit}, or make the batches smaller.`,
    ),
  },
  {
    name: 'a disruption is final where the user says so',
    when: (s) => isDisruption(s) && s.policy.onDisruption === 'Fail',
    leadsTo: giveUp(() => 'failure.onDisruption is Fail.'),
  },
  {
    name: 'a disruption starts the whole gang again while its budget lasts',
    when: (s) => isDisruption(s) && s.disruptions < s.policy.disruptions,
    leadsTo: restart('disruptions'),
  },
  { name: 'no disruption is left', when: isDisruption, leadsTo: used('disruptions') },
  {
    name: 'while restarts are left the whole gang starts again',
    when: ({ restarts, policy }) => restarts < policy.restarts,
    leadsTo: restart('restarts'),
  },
  { name: 'no restart is left', when: () => true, leadsTo: used('restarts') },
];

const FINAL = FAILURE_RULES.at(-1) as FailureRule;

/** What an attempt's bad end leads to. */
export const consequenceOf = (setback: Setback): Consequence =>
  (FAILURE_RULES.find(({ when }) => when(setback)) ?? FINAL).leadsTo(setback);
