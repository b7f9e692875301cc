import { ANNOTATIONS } from '@slipway/crds/contract';
import type { InferenceService } from '../src/api/kinds.ts';
import { approvalsOf, peopleFor, stepAt } from '../src/domain/rollout/steps.ts';
import { rfc3339 } from '../src/kube/conditions.ts';

/** A merge patch to send, with the sentence to print once it is through; or why there is nothing to ask. */
export type Request =
  | { readonly kind: 'patch'; readonly patch: unknown; readonly done: string }
  | { readonly kind: 'refused'; readonly why: string };

const annotate = (name: string, value: string | null): unknown => ({ metadata: { annotations: { [name]: value } } });
const refused = (why: string): Request => ({ kind: 'refused', why });

/** Who approves, when and why. The admission policy lets nobody write another name than their own. */
export interface Approver {
  readonly by: string;
  readonly at: Date;
  readonly comment?: string | undefined;
}

/** Of the API: the list only grows, and can be dropped as a whole. */
const MOST_APPROVALS = 64;

/**
 * Lets the approval step that waits now pass. It names rollout, step and digest, so it can never let a later one pass,
 * and is written against the version that was read: of two people at once one is told to look again.
 */
export function approvalRequest({ metadata, spec, status }: InferenceService, { by, at, comment }: Approver): Request {
  const { candidate, rolloutID } = status ?? {};
  if (candidate === undefined || rolloutID === undefined) {
    return refused(`infs/${metadata.name} has no rollout under way, so there is nothing to approve.`);
  }
  const { version, phase, step, digest } = candidate;
  if (candidate.awaitingApproval !== true) {
    return refused(
      `The rollout of ${version} is in phase ${phase} and waits for no approval: kubectl slipway status infs/${metadata.name}`,
    );
  }
  const before = approvalsOf({ spec, status: { rolloutID } }, candidate).map((approval) => approval.by);
  const needed = peopleFor(stepAt(spec.rollout.steps, step));
  if (before.includes(by)) {
    return refused(
      `${by} approved step ${step + 1} already; it needs ${needed} people, and somebody else is to approve it too.`,
    );
  }
  if ((spec.approvals?.length ?? 0) >= MOST_APPROVALS) {
    const dropped = `kubectl patch infs/${metadata.name} --type=merge -p '{"spec":{"approvals":null}}'`;
    return refused(
      `There is room for ${MOST_APPROVALS} approvals. Drop them, as the history keeps who gave them, and approve again: ${dropped}`,
    );
  }
  const approval = { rolloutID, step, digest, by, at: rfc3339(at), ...(comment === undefined ? {} : { comment }) };
  const approvals = [...(spec.approvals ?? []), approval];
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { approvals } };
  const left = needed - before.length - 1;
  const more = left > 0 ? ` It needs ${left} more ${left === 1 ? 'person' : 'people'}.` : '';
  return { kind: 'patch', patch, done: `Approved step ${step + 1} of the rollout of ${version} as ${by}.${more}` };
}

type Live = { readonly candidate: NonNullable<Status['candidate']>; readonly rolloutID: string };
type Status = NonNullable<InferenceService['status']>;

const ENDED = ['Complete', 'RollingBack', 'RolledBack'];

/** The rollout under way, or the sentence that there is none. */
function live({ metadata, status }: InferenceService, verb: string): Live | Request {
  const { candidate, rolloutID } = status ?? {};
  return candidate === undefined || rolloutID === undefined || ENDED.includes(candidate.phase)
    ? refused(`infs/${metadata.name} has no rollout under way, so there is nothing to ${verb}.`)
    : { candidate, rolloutID };
}

/** The rest of the steps and approvals is left out. Bound to this rollout, so it speeds up no later one. */
export function promotionRequest(service: InferenceService): Request {
  const found = live(service, 'promote');
  if ('kind' in found) return found;
  const { candidate, rolloutID } = found;
  const done = `${candidate.version} goes to 100% without the steps that are left; guards that fail still roll it back.`;
  return { kind: 'patch', patch: annotate(ANNOTATIONS.promote, rolloutID), done };
}

/** The candidate loses its traffic and is rejected. Bound to this rollout. */
export function abortRequest(service: InferenceService): Request {
  const found = live(service, 'abort');
  if ('kind' in found) return found;
  const { candidate, rolloutID } = found;
  const stable = service.status?.stable;
  if (stable === undefined) {
    return refused(
      `infs/${service.metadata.name} has no stable version yet, so there is none to go back to from ${candidate.version}: set spec.model.version to another, or delete it.`,
    );
  }
  const done = `${candidate.version} is taken back; ${stable.version} goes on serving.`;
  return { kind: 'patch', patch: annotate(ANNOTATIONS.abort, rolloutID), done };
}

/** The way back: from a live rollout as abort, and after a promotion to the version before. */
export function rollbackRequest(service: InferenceService): Request {
  const { metadata, status } = service;
  if (!('kind' in live(service, 'roll back'))) return abortRequest(service);
  const { stable, previous } = status ?? {};
  if (stable?.rolloutID === undefined || previous === undefined) {
    return refused(
      `infs/${metadata.name} has served no other version, so there is none to go back to: set spec.model.version.`,
    );
  }
  const done = `${previous.version} takes over again from ${stable.version}, which is rejected.`;
  return { kind: 'patch', patch: annotate(ANNOTATIONS.rollback, stable.rolloutID), done };
}

/** The rollout stays where it is; guards go on watching and may roll it back. */
export function pauseRequest(service: InferenceService): Request {
  const { metadata } = service;
  if (metadata.annotations?.[ANNOTATIONS.pause] === 'true') {
    return refused(`infs/${metadata.name} is paused already; go on with kubectl slipway resume infs/${metadata.name}`);
  }
  const done = `infs/${metadata.name} is paused: no step is taken until kubectl slipway resume infs/${metadata.name}`;
  return { kind: 'patch', patch: annotate(ANNOTATIONS.pause, 'true'), done };
}

export function resumeRequest({ metadata }: InferenceService): Request {
  return metadata.annotations?.[ANNOTATIONS.pause] === undefined
    ? refused(`infs/${metadata.name} is not paused.`)
    : { kind: 'patch', patch: annotate(ANNOTATIONS.pause, null), done: `infs/${metadata.name} goes on.` };
}

type Rejected = NonNullable<Status['rejected']>[number];

/** The rejection that the operator says it is stalled by; else the last of the version that the spec asks for. */
function inTheWay({ spec, status }: InferenceService): Rejected | undefined {
  const rejected = [...(status?.rejected ?? [])].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const stalled = status?.conditions?.find(({ type }) => type === 'Stalled');
  return (
    rejected.find(({ revision }) => stalled?.status === 'True' && stalled.message.includes(revision)) ??
    rejected.findLast(({ version }) => version === spec.model.version) ??
    rejected.at(-1)
  );
}

/** Forgets one rejection, by default the one that keeps the spec from being rolled out. */
export function retryRequest(service: InferenceService, revision: string | undefined): Request {
  const { metadata, status } = service;
  const rejected = status?.rejected ?? [];
  const chosen = revision === undefined ? inTheWay(service) : rejected.find((r) => r.revision === revision);
  if (chosen === undefined) {
    const known = rejected.map((r) => r.revision).join(', ');
    return refused(
      known === ''
        ? `infs/${metadata.name} has no rejected revision, so there is nothing to retry.`
        : `Revision ${revision} of infs/${metadata.name} was not rejected; rejected are: ${known}.`,
    );
  }
  const patch = annotate(ANNOTATIONS.retry, chosen.revision);
  return {
    kind: 'patch',
    patch,
    done: `Version ${chosen.version} (revision ${chosen.revision}) may be rolled out again.`,
  };
}
