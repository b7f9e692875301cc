import { type Note, type RolloutState, theCandidate, type View } from '../decision.ts';
import { exposureOf, exposureText } from '../exposure.ts';
import { podsOf } from '../sizing.ts';
import type { CandidateStatus, RevisionFacts, RouteFacts, StableStatus } from '../world.ts';

/** What rules say things with. */
export const titleOf = ({ world }: View, { version }: { readonly version: string }): string =>
  `${world.target.name} ${version}`;
export const title = (view: View): string => titleOf(view, theCandidate(view));

/** Where a candidate is, for the history: `Shifting 5%`. */
export const place = (candidate: CandidateStatus): string =>
  candidate.phase === 'Shifting' || candidate.phase === 'Shadowing'
    ? exposureText(exposureOf(candidate))
    : candidate.phase;

export const factsOf = (view: View): RevisionFacts => podsOf(view.world, theCandidate(view).revision);

export const trouble = ({ trouble: found }: RevisionFacts): string =>
  found === undefined ? '' : ` ${found.reason}: ${found.message.replace(/\.$/, '')}.`;

/** What may be wrong with the route though nobody refused it. */
export const caveat = (route: RouteFacts): string =>
  route.state === 'Refused' || route.caveat === undefined ? '' : ` ${route.caveat}`;

export const note = (view: View, about: Omit<Note, 'type'>): Note => ({
  type: 'Normal',
  ...about,
  message: `${title(view)} ${about.message}`,
});

export const withCandidate = (view: View, change: Partial<CandidateStatus>): RolloutState => {
  const { awaitingApproval: _was, ...candidate } = theCandidate(view);
  return { ...view.state, candidate: { ...candidate, ...change } };
};

export const versionOf = ({ version, digest, revision }: StableStatus): StableStatus => ({ version, digest, revision });

/** Whether the conditions as stored tell this already: what lasts is told once. */
export const isTold = ({ world }: View, reason: string): boolean =>
  world.status.conditions?.some((c) => c.type === 'Paused' && c.status === 'True' && c.reason === reason) ?? false;
