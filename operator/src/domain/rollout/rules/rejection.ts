import { rfc3339 } from '../../../kube/conditions.ts';
import { type Decision, theCandidate, type View } from '../decision.ts';
import type { CandidateStatus, Cause, Rejection, StableStatus } from '../world.ts';
import { place, titleOf } from './telling.ts';

const MOST_REJECTIONS = 16;
const LONGEST_EVIDENCE = 1024;

export const wanted = ({ world }: View): string | undefined => world.target.revision;

export const rejectionOf = ({ state }: View, revision: string | undefined): Rejection | undefined =>
  state.rejected.find((r) => r.revision === revision);

/** The rejections with one more, which is known by its revision. */
export function reject(view: View, { revision, version, digest }: StableStatus, cause: Cause): readonly Rejection[] {
  const entry = {
    revision,
    version,
    digest,
    reason: cause.reason,
    message: cause.message.slice(0, LONGEST_EVIDENCE),
    at: rfc3339(view.world.now),
  };
  return [...view.state.rejected.filter((r) => r.revision !== revision), entry].slice(-MOST_REJECTIONS);
}

/** Zero traffic, and the revision is remembered with what spoke against it. */
export function takeBack(view: View, cause: Cause): Decision {
  const candidate = theCandidate(view);
  const { awaitingApproval: _no, shadow: _off, ...rest } = candidate;
  const leaving: CandidateStatus = {
    ...rest,
    phase: 'RollingBack',
    weight: 0,
    stepStartedAt: rfc3339(view.world.now),
    guards: [...view.guards],
  };
  const message = `${titleOf(view, candidate)} lost its traffic at ${candidate.weight}%: ${cause.message}`;
  return {
    state: { ...view.state, candidate: leaving, rejected: reject(view, candidate, cause) },
    tone: 'Progressing',
    cause: { reason: 'RollingBack', message },
    note: {
      type: 'Warning',
      reason: 'RolledBack',
      action: 'RollBack',
      message,
      from: place(candidate),
      to: 'RollingBack',
      digest: candidate.digest,
    },
  };
}
