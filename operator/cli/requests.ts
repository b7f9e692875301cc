import { ANNOTATIONS } from '@slipway/crds/contract';
import type { InferenceService } from '../src/api/kinds.ts';

/** A merge patch to send, with the sentence to print once it is through; or why there is nothing to ask. */
export type Request =
  | { readonly kind: 'patch'; readonly patch: unknown; readonly done: string }
  | { readonly kind: 'refused'; readonly why: string };

const annotate = (name: string, value: string): unknown => ({ metadata: { annotations: { [name]: value } } });
const refused = (why: string): Request => ({ kind: 'refused', why });

/** Lets the approval step that waits now pass. It names rollout and step, so it can never let a later one pass. */
export function approvalRequest({ metadata, status }: InferenceService): Request {
  const { candidate, rolloutID } = status ?? {};
  if (candidate === undefined || rolloutID === undefined) {
    return refused(`infs/${metadata.name} has no rollout under way, so there is nothing to approve.`);
  }
  if (candidate.awaitingApproval !== true) {
    return refused(
      `The rollout of ${candidate.version} is in phase ${candidate.phase} and waits for no approval: kubectl slipway status infs/${metadata.name}`,
    );
  }
  const patch = annotate(ANNOTATIONS.approve, `${rolloutID}/${candidate.step}`);
  return { kind: 'patch', patch, done: `Approved step ${candidate.step + 1} of the rollout of ${candidate.version}.` };
}

/** Forgets one rejection, by default the last one, so that the same spec is rolled out again. */
export function retryRequest({ metadata, status }: InferenceService, revision: string | undefined): Request {
  const rejected = status?.rejected ?? [];
  const latest = [...rejected].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).at(-1);
  const chosen = revision === undefined ? latest : rejected.find((r) => r.revision === revision);
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
