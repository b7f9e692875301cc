import type { FailureClass } from '@slipway/crds';
import type { TerminationReason } from '@slipway/crds/contract';
import type { PodFailure } from '../workload/podEnd.ts';
import type { Cause } from './cause.ts';
import { ELASTIC_WORDS, exitText } from './exitText.ts';
import { WORD_RULES } from './lastWords.ts';

/** What the containers of ours that start a training pod name as they die. */
const STARTING: Partial<Record<TerminationReason, FailureClass>> = {
  Rendezvous: 'Rendezvous',
  DatasetInvalid: 'DatasetInvalid',
  DatasetMissing: 'StartFailed',
  CredentialsRefused: 'StartFailed',
  // The store was away, as a node may be: nothing of the training, and nothing that its restarts are for.
  StoreUnavailable: 'Disrupted',
  StoreFull: 'StartFailed',
  ConfigurationInvalid: 'StartFailed',
};

interface Finding {
  readonly class: FailureClass;
  readonly what: string;
  readonly reason?: string;
  readonly nodeToBlame?: boolean;
  readonly remedy?: string | undefined;
}

const REMEDIES: Partial<Record<FailureClass, string>> = {
  DatasetInvalid: 'No restart can cure that: create a job with the digest of the data that it is to use.',
};

interface ClassRule {
  readonly name: string;
  readonly find: (failure: PodFailure, startContainer: string) => Finding | undefined;
}

const whenReason =
  (reasons: Readonly<Record<string, Finding>>, of: (failure: PodFailure) => string | undefined): ClassRule['find'] =>
  (failure) =>
    reasons[of(failure) ?? ''];

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions */
const DISRUPTIONS: Readonly<Record<string, Finding>> = {
  PreemptionByScheduler: { class: 'Disrupted', what: 'was preempted by a pod of higher priority' },
  EvictionByEvictionAPI: { class: 'Disrupted', what: 'was evicted' },
  TerminationByKubelet: { class: 'Disrupted', what: 'was ended by its node' },
  DeletionByTaintManager: { class: 'NodeLost', what: 'lost its node' },
  DeletionByPodGC: { class: 'NodeLost', what: 'lost its node' },
};

/** status.reason as kubelet, scheduler and pod garbage collector write it. */
const POD_REASONS: Readonly<Record<string, Finding>> = {
  Evicted: { class: 'Disrupted', what: 'was evicted by its node' },
  Preempting: { class: 'Disrupted', what: 'was preempted' },
  Preempted: { class: 'Disrupted', what: 'was preempted' },
  Terminated: { class: 'Disrupted', what: 'was ended as its node shut down' },
  Shutdown: { class: 'Disrupted', what: 'was ended as its node shut down' },
  NodeShutdown: { class: 'Disrupted', what: 'was ended as its node shut down' },
  NodeLost: { class: 'NodeLost', what: 'lost its node' },
  UnexpectedAdmissionError: {
    class: 'AcceleratorFault',
    what: 'was refused by its node, which could not give it its devices',
    nodeToBlame: true,
  },
  DeadlineExceeded: { class: 'UserError', what: 'ran longer than the activeDeadlineSeconds of its template' },
};

/** The kubelet evicts a pod over a limit of its own too; on any node it would meet the same limit. */
const OWN_LIMIT = /exceeds the (?:total )?limit|exceeded its local ephemeral storage limit/i;

/** First match wins. The more a fact says about the cause, the earlier it stands. */
export const CLASS_RULES: readonly ClassRule[] = [
  {
    name: 'what the start of a pod names itself',
    find: ({ container, reason }, startContainer) => {
      const found = reason !== undefined && container === startContainer ? STARTING[reason] : undefined;
      return (
        found && { class: found, what: 'could not start to train', reason: reason ?? found, remedy: REMEDIES[found] }
      );
    },
  },
  {
    name: 'killed over its memory limit',
    find: ({ outOfMemory }) =>
      outOfMemory ? { class: 'OutOfMemory', what: 'was killed for want of memory' } : undefined,
  },
  {
    name: 'evicted over a limit of its own',
    find: ({ podReason, text }) =>
      podReason === 'Evicted' && OWN_LIMIT.test(text)
        ? { class: 'UserError', what: 'was evicted as it used more storage than its limit' }
        : undefined,
  },
  {
    name: 'words that name the cause',
    find: ({ text, exitCode }) => {
      if (exitCode === undefined) return undefined;
      const rule = WORD_RULES.find(({ pattern }) => pattern.test(text));
      const found = rule?.pattern.exec(text)?.[0] ?? '';
      return (
        rule && {
          class: rule.class,
          what: `failed: ${rule.says(found)}`,
          nodeToBlame: rule.nodeToBlame ?? false,
          remedy: rule.remedy,
        }
      );
    },
  },
  { name: 'who disrupted the pod', find: whenReason(DISRUPTIONS, ({ disruption }) => disruption) },
  { name: 'why the node ended the pod', find: whenReason(POD_REASONS, ({ podReason }) => podReason) },
  {
    name: 'a node that had no room when the pod came',
    find: ({ podReason }) =>
      podReason?.startsWith('OutOf') === true || podReason === 'NodeAffinity'
        ? { class: 'Disrupted', what: `was refused by its node (${podReason})` }
        : undefined,
  },
  {
    name: 'deleted while it trained',
    find: ({ deleted, exitCode }) =>
      deleted && (exitCode === undefined || exitCode === 143 || exitCode === 137)
        ? { class: 'AttemptLost', what: 'was deleted' }
        : undefined,
  },
  {
    name: 'disrupted, by whom is not known',
    find: ({ disrupted, exitCode }) =>
      disrupted || exitCode === undefined ? { class: 'Disrupted', what: 'was ended before it could exit' } : undefined,
  },
];

/** The class of one failed pod. `startContainer` is the container that prepares it. */
export function classify(failure: PodFailure, startContainer: string): Cause {
  const { pod, node, exitCode, reason } = failure;
  let found: Finding | undefined;
  for (const { find } of CLASS_RULES) found ??= find(failure, startContainer);
  const { class: kind, what, nodeToBlame = false, reason: named, remedy } = found ?? userError(failure);
  const where = node === undefined ? '' : ` on node ${node}`;
  const code = exitCode === undefined ? '' : ` (${exitText(exitCode)})`;
  return {
    class: kind,
    reason: named ?? (kind === 'UserError' ? (reason ?? kind) : kind),
    sentence: `Pod ${pod}${where} ${what}${code}.`,
    words: failure.message,
    pod,
    node,
    // A code that the user calls fatal is one of their own program.
    exitCode: failure.container === startContainer ? undefined : exitCode,
    nodeToBlame,
    remedy,
  };
}

const userError = ({ text }: PodFailure): Finding => ({
  class: 'UserError',
  what: `failed${ELASTIC_WORDS.find(({ pattern }) => pattern.test(text))?.says ?? ''}`,
});

/** Pods that die within this time of the first may have died of one cause, whichever clock was read first. */
const TOGETHER_MS = 10_000;

/** A pod that was told to stop, or that lost its peers, died of another's death. */
const isEcho = ({ class: kind, exitCode }: Cause): boolean =>
  kind === 'Communication' || kind === 'AttemptLost' || (kind === 'UserError' && exitCode === 143);

/**
 * The cause among the failures of a gang, earliest first. The first decides, unless it is an echo (its peer went away,
 * it was told to stop) and another that died within seconds names more: clocks of nodes differ, and the one whose
 * collective breaks may be reported before the one that broke it.
 */
export function causeOf(failures: readonly PodFailure[], startContainer: string): Cause | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const until = (first.at ?? Number.POSITIVE_INFINITY) + TOGETHER_MS;
  const together = failures.filter(({ at }) => at === undefined || at <= until).map((f) => classify(f, startContainer));
  return together.find((cause) => !isEcho(cause)) ?? together[0];
}
