import {
  candidateAt,
  evidenceOf,
  requests,
  revisionFor,
  routeTo,
  serving,
  shifting,
  targetOf,
  versionOf,
} from './builders.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

/** Worlds that more than one test starts from, and what a test reads of a plan. */
export const [V0, V1] = [revisionFor(0), revisionFor(1)];
export const candidateOf = ({ status }: Plan) => status.candidate;
export const conditions = ({ observed }: Plan) =>
  Object.fromEntries(observed.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
export const seen = (candidate: World['evidence'][string], stable = evidenceOf(0, requests(1900))) => ({
  evidence: { [V0]: stable, [V1]: candidate },
});
export const passing = seen(evidenceOf(1, requests(2000)), evidenceOf(0, requests(38_000)));
export const failing = seen(evidenceOf(1, requests(60, 40)));
export const preparing: World = {
  ...shifting,
  status: { rolloutID: 'r-1', stable: versionOf(0), candidate: candidateAt('Preparing', 0) },
  route: routeTo({ 0: 10_000 }),
};
export const rolledBack: World = {
  ...serving,
  target: targetOf(1),
  status: {
    rolloutID: 'r-1',
    stable: versionOf(0),
    candidate: candidateAt('RolledBack', 0),
    rejected: [{ ...versionOf(1), reason: 'GuardFailed', message: 'Too many errors.', at: '2030-01-01T11:00:00Z' }],
  },
};
export const fresh: World = { ...serving, status: {}, revisions: {}, route: { state: 'Absent' } };
export const fatal = { reason: 'ModelInvalid', message: 'the model does not load', fatal: true };
