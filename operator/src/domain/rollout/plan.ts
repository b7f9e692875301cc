import type { InferenceServiceStatus } from '@slipway/crds';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { judgeGuards } from '../guards/judgeGuards.ts';
import { refreshGuards } from '../guards/refresh.ts';
import { observe } from './conditions.ts';
import { type Decision, liveCandidate, type RolloutState, type Rule, type View } from './decision.ts';
import { historyWith } from './history.ts';
import { observedSplit, observedWeights, type Split } from './observed.ts';
import { removable } from './retention.ts';
import { routesOf } from './routes.ts';
import { RULES } from './rules.ts';
import { isAsking, newsOfOpinion, withSecondOpinion } from './secondOpinion.ts';
import { keptExact, keptWarm, replicasOf } from './sizing.ts';
import { testsOf } from './stepTests.ts';
import { type Backend, backendsOf, candidatePercent, TOTAL_WEIGHT } from './weights.ts';
import type { CandidateStatus, HeaderRoute, RouteFacts, World } from './world.ts';

/** A revision has ten characters. A longer annotation fits none, and would not fit the status either. */
const LONGEST_RETRY = 63;
/** A split in the status moves on when it changed by a percent point: it is a picture, not a counter. */
const SPLIT_MOVES = 100;

/** Everything a pass is to make true. Plain data: a test compares it and a dry run prints it. */
export interface Plan {
  /** Name of the rule that decided. */
  readonly rule: string;
  /** Backends of the route, stable first, weights adding up to 10,000; empty: no route yet. */
  readonly backends: readonly Backend[];
  /** Requests that go by header instead, first fit first: only to revisions that are backends or previewed. */
  readonly routes: readonly HeaderRoute[];
  /** Names of the guards whose test job this step must have run. */
  readonly tests: readonly string[];
  /** Pods of each revision that must exist. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Revisions that an autoscaler may not take pods from. */
  readonly warm: readonly string[];
  /** Revisions whose number of pods nobody else may change, up or down: weights are made of it. */
  readonly exact: readonly string[];
  /** Revisions to delete. */
  readonly remove: readonly string[];
  /** The whole status but conditions and observedGeneration. */
  readonly status: Omit<InferenceServiceStatus, 'conditions' | 'observedGeneration'>;
  readonly observed: readonly Observation[];
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

const storedState = ({ status }: World): RolloutState => {
  const { rolloutID, stable, previous, candidate, rejected = [], lastHandledRetry } = status;
  return {
    rejected,
    ...(rolloutID === undefined ? {} : { rolloutID }),
    ...(stable === undefined ? {} : { stable }),
    ...(previous === undefined ? {} : { previous }),
    ...(candidate === undefined ? {} : { candidate }),
    ...(lastHandledRetry === undefined ? {} : { lastHandledRetry }),
  };
};

/** A person asked to forget a rejection. The annotation stays on the object, so what was acted on is written down. */
function forgive(state: RolloutState, { asked }: World): RolloutState {
  const { lastHandledRetry, ...rest } = state;
  const retry = asked.retry?.slice(0, LONGEST_RETRY);
  if (retry === undefined) return rest;
  if (retry === lastHandledRetry) return state;
  const { candidate, ...others } = rest;
  const forgiven = candidate?.phase === 'RolledBack' && candidate.revision === retry;
  return {
    ...others,
    ...(candidate === undefined || forgiven ? {} : { candidate }),
    rejected: state.rejected.filter((r) => r.revision !== retry),
    lastHandledRetry: retry,
  };
}

function ruleFor(view: View): Rule {
  const rule = RULES.find(({ applies }) => applies(view));
  if (rule === undefined) throw new Error(`no rollout rule fits phase ${view.state.candidate?.phase ?? 'Idle'}`);
  return rule;
}

const split = (candidate: number): Split => ({ stable: TOTAL_WEIGHT - candidate, candidate });

const programmedSplit = (route: RouteFacts, state: RolloutState): Split | undefined =>
  route.state === 'Programmed'
    ? split(route.weights[state.candidate?.phase === 'Complete' ? '' : (state.candidate?.revision ?? '')] ?? 0)
    : undefined;

/** The observed split as stored, unless the new one tells something else. */
function observedOf(world: World, state: RolloutState): Split | undefined {
  const live = liveCandidate(state);
  if (live === undefined || candidatePercent(live) === 0) return undefined;
  const fresh = observedWeights(observedSplit(world, live));
  const old = world.status.traffic?.observed;
  const near = fresh !== undefined && old !== undefined && Math.abs(fresh.candidate - old.candidate) < SPLIT_MOVES;
  return near ? old : fresh;
}

function trafficOf(world: World, state: RolloutState): InferenceServiceStatus['traffic'] {
  if (state.stable === undefined) return undefined;
  const programmed = programmedSplit(world.route, state);
  const observed = observedOf(world, state);
  return {
    desired: split(candidatePercent(state.candidate) * (TOTAL_WEIGHT / 100)),
    ...(programmed === undefined ? {} : { programmed }),
    ...(observed === undefined ? {} : { observed }),
  };
}

function statusOf(world: World, { state, note }: Decision): Plan['status'] {
  const { rolloutID, stable, previous, candidate, rejected, lastHandledRetry } = state;
  const traffic = trafficOf(world, state);
  const history = historyWith(world, note);
  const facts = stable === undefined ? undefined : world.revisions[stable.revision];
  return {
    ...(rolloutID === undefined ? {} : { rolloutID }),
    ...(world.url === undefined ? {} : { url: world.url }),
    ...(stable === undefined ? {} : { stable }),
    ...(previous === undefined ? {} : { previous }),
    ...(candidate === undefined ? {} : { candidate }),
    ...(traffic === undefined ? {} : { traffic }),
    ...(rejected.length === 0 ? {} : { rejected: [...rejected] }),
    ...(history.length === 0 ? {} : { history }),
    ...(lastHandledRetry === undefined ? {} : { lastHandledRetry }),
    replicas: facts?.replicas ?? 0,
    readyReplicas: facts?.ready ?? 0,
  };
}

/** Verdicts go into the status of a candidate that stays where it is; a rule that moved it has said what it rests on. */
function withVerdicts({ state, ...decision }: Decision, { guards, world }: View): Decision {
  const live = liveCandidate(state);
  if (live === undefined || guards.length === 0 || live.revision !== world.status.candidate?.revision)
    return { state, ...decision };
  return { ...decision, state: { ...state, candidate: { ...live, guards: [...guards] } } };
}

/** Copies are asked for by the pass after the one that decided to: each moment until then is a moment of a fault. */
const ORDER_MS = 20;
/** Looks while copies come: there is five times as much to see. */
const OPINION_MS = 250;

/** Milliseconds to the next look at a live candidate. */
function nextLookMs({ guardPeriodMs, status }: World, { secondOpinion }: CandidateStatus): number {
  if (!isAsking(secondOpinion)) return guardPeriodMs;
  const isNew = secondOpinion?.startedAt !== status.candidate?.secondOpinion?.startedAt;
  return Math.min(guardPeriodMs, isNew ? ORDER_MS : OPINION_MS);
}

/** While a candidate is live its guards are looked at, whatever else is waited for. */
const nextPass = (world: World, { state, tone, againMs, cause }: Decision): Outcome => {
  const { guardPeriodMs } = world;
  const live = liveCandidate(state);
  if (live !== undefined) return again(nextLookMs(world, live), cause.reason);
  if (againMs !== undefined) return again(againMs, cause.reason);
  return tone === 'Progressing' ? again(guardPeriodMs, cause.reason) : settled;
};

/**
 * Decides one pass. Pure and total: the same world gives the same plan, and a plan that was carried out gives a world
 * whose plan changes nothing more, until time, traffic or the cluster moves.
 */
export function plan(world: World): Plan {
  const state = forgive(storedState(world), world);
  const live = liveCandidate(state);
  const fresh = live === undefined ? [] : judgeGuards(world, live);
  // Sentences are made from what the status shows, so that they change no oftener than it does.
  const guards = refreshGuards(world.status.candidate?.guards, fresh);
  const view: View = { world, state, guards };
  const rule = ruleFor(view);
  const decision = withSecondOpinion(withVerdicts(rule.decide(view), view), view);
  const versions = decision.state;
  const replicas = replicasOf(world, versions);
  return {
    rule: rule.name,
    backends: backendsOf(versions),
    routes: routesOf(world.spec, versions),
    tests: testsOf(world, versions),
    replicas,
    warm: keptWarm(versions),
    exact: keptExact(world, versions),
    remove: removable(world, replicas),
    status: statusOf(world, decision),
    observed: observe(world, decision),
    events: [
      ...[decision.note ?? []].flat().map(({ type, reason, action, message }) => ({ type, reason, action, message })),
      ...newsOfOpinion(view, versions.candidate),
    ],
    next: nextPass(world, decision),
  };
}
