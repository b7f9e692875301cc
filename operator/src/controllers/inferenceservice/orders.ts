import { createHash } from 'node:crypto';
import { type EvidencePoll, SECOND_OPINION, type SessionOrder, type ShadowOrder } from '@slipway/crds/contract';
import type { InferenceService } from '../../api/kinds.ts';
import { canonicalJson } from '../../domain/revision.ts';
import { isAsking } from '../../domain/rollout/secondOpinion.ts';
import { candidatePercent, TOTAL_WEIGHT } from '../../domain/rollout/weights.ts';

/** Where the Service of a revision takes REST requests, `http://host`. undefined: there is none yet. */
export type AddressOf = (revision: string) => string | undefined;
type Told = Pick<InferenceService, 'spec' | 'status'>;

/** What the pods of each revision are told with a poll. */
export interface Orders {
  readonly of: (revision: string) => EvidencePoll;
  /** Id of the shadow order in force, whose comparisons are evidence: not that of a second opinion. */
  readonly shadow?: string;
}

/** Ends every order at once: what pods are told that no longer take part in a rollout. */
export const NO_ORDERS: EvidencePoll = { shadow: null, session: null };

type Comparison = Pick<ShadowOrder, 'compare' | 'tolerance' | 'k' | 'segment'>;

/** How answers are compared: as the disagreement guard says. Pods compare in one way, so the first of them counts. */
function comparisonOf({ spec }: Told): Partial<Comparison> {
  const guard = spec.rollout.guards?.find(({ disagreement }) => disagreement !== undefined)?.disagreement;
  if (guard === undefined) return {};
  const { compare, tolerance, k, segment } = guard;
  return {
    ...(compare === undefined ? {} : { compare }),
    tolerance: Number(tolerance),
    k,
    ...(segment === undefined ? {} : { segment }),
  };
}

/** The default time to live of an order is longer than many missed polls, and short enough for a dead operator. */
const SHADOW_EXPIRES_SECONDS = 15;
const SESSION_EXPIRES_SECONDS = 5;
/** Looks are a quarter of a second apart meanwhile: an operator that dies takes its question along. */
const OPINION_EXPIRES_SECONDS = 3;

/**
 * Its id names rollout, step and comparison: pods begin at zero with another id, and answers that were compared
 * otherwise are no evidence about this comparison.
 */
function shadowOrder(told: Told, addressOf: AddressOf): ShadowOrder | null {
  const { candidate, rolloutID } = told.status ?? {};
  if (candidate?.phase !== 'Shadowing' || rolloutID === undefined) return null;
  const percent = candidate.shadow ?? told.spec.rollout.steps[candidate.step]?.shadow ?? 0;
  const target = addressOf(candidate.revision);
  if (percent === 0 || target === undefined) return null;
  const comparison = comparisonOf(told);
  const hash = createHash('sha256').update(canonicalJson(comparison)).digest('hex').slice(0, 8);
  return {
    id: `${rolloutID}/${candidate.step}/${hash}`,
    target,
    percent,
    tolerance: 1e-3,
    k: 5,
    ...comparison,
    expiresInSeconds: SHADOW_EXPIRES_SECONDS,
  };
}

/**
 * Copies for a guard in doubt. The candidate knows them by the id, counts them apart and takes them only while it has
 * nothing else to do; how its answers compare is not looked at, so that a copy which it had no time for harms nothing.
 */
function opinionOrder({ status }: Told, addressOf: AddressOf): ShadowOrder | null {
  const { candidate, rolloutID } = status ?? {};
  const opinion = candidate?.secondOpinion;
  if (candidate?.phase !== 'Shifting' || rolloutID === undefined || opinion === undefined) return null;
  const target = addressOf(candidate.revision);
  if (!isAsking(opinion) || target === undefined) return null;
  const { share, asked } = opinion;
  return {
    id: `${SECOND_OPINION}${rolloutID}/${candidate.step}/${asked}`,
    target,
    percent: (100 * share) / TOTAL_WEIGHT,
    tolerance: 1e-3,
    k: 5,
    expiresInSeconds: OPINION_EXPIRES_SECONDS,
  };
}

type Arm = SessionOrder['arm'];

/** The salt is the rollout's: in the next one other users come first. Each step adds users and takes none away. */
function sessionOrder({ spec, status }: Told, arm: Arm, addressOf: AddressOf): SessionOrder | null {
  const { candidate, stable, rolloutID } = status ?? {};
  const header = spec.traffic.sessionKey?.header;
  const percent = candidatePercent(candidate);
  if (header === undefined || candidate === undefined || stable === undefined || rolloutID === undefined) return null;
  const other = addressOf(arm === 'stable' ? candidate.revision : stable.revision);
  if (percent === 0 || other === undefined) return null;
  const except = spec.traffic.routes?.map((route) => route.header) ?? [];
  return {
    id: `${rolloutID}/${candidate.step}/${percent}`,
    header,
    salt: rolloutID,
    share: (percent * TOTAL_WEIGHT) / 100,
    arm,
    other,
    ...(except.length === 0 ? {} : { except }),
    expiresInSeconds: SESSION_EXPIRES_SECONDS,
  };
}

/**
 * What the pods of a service are told with each poll, from the stored status: an operator that dies between decision and
 * status write leaves orders that expire. Pods that copy or pass on nothing are told so, each time.
 */
export function ordersOf(told: Told, addressOf: AddressOf): Orders {
  const { candidate, stable } = told.status ?? {};
  const shadow = stable === undefined ? null : shadowOrder(told, addressOf);
  const polls = new Map<string, EvidencePoll>();
  if (candidate !== undefined) {
    polls.set(candidate.revision, { shadow: null, session: sessionOrder(told, 'candidate', addressOf) });
  }
  if (stable !== undefined) {
    const copies = shadow ?? opinionOrder(told, addressOf);
    polls.set(stable.revision, { shadow: copies, session: sessionOrder(told, 'stable', addressOf) });
  }
  return {
    of: (revision) => polls.get(revision) ?? NO_ORDERS,
    ...(shadow === null ? {} : { shadow: shadow.id }),
  };
}
