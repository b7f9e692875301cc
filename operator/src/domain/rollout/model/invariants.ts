import { holdingGuard } from '../../guards/acting.ts';
import { judgeGuards } from '../../guards/judgeGuards.ts';
import { evidenceOf, requests } from '../builders.ts';
import { liveCandidate } from '../decision.ts';
import { equals, exposureBefore, exposureOf, levelOf } from '../exposure.ts';
import { brokenLink } from '../history.ts';
import { type Plan, plan } from '../plan.ts';
import { isAsking } from '../secondOpinion.ts';
import { TOTAL_WEIGHT } from '../weights.ts';
import type { CandidateStatus, StableStatus, World } from '../world.ts';
import type { Cluster } from './cluster.ts';

/** What must hold of every pass. Each tells what is wrong, or nothing. */
export type Invariant = (world: World, decided: Plan, cluster: Cluster) => string | undefined;

const weightOf = ({ backends }: Plan, revision: string | undefined): number =>
  backends.find((b) => b.revision === revision)?.weight ?? 0;

const weightsAddUp: Invariant = (_world, decided) => {
  const sum = decided.backends.reduce((total, { weight }) => total + weight, 0);
  return sum === TOTAL_WEIGHT ? undefined : `weights add up to ${sum}`;
};

const leavingGetsNothing: Invariant = (_world, decided) => {
  const { candidate, stable } = decided.status;
  if (candidate === undefined || candidate.revision === stable?.revision) return undefined;
  const routed = decided.routes.some(({ revision }) => revision === candidate.revision);
  const hidden = !['Shifting', 'Baking'].includes(candidate.phase) && weightOf(decided, candidate.revision) > 0;
  const left = ['RollingBack', 'RolledBack'].includes(candidate.phase) && routed;
  return hidden || left ? `a candidate in ${candidate.phase} gets requests` : undefined;
};

const rejectedGetsNothing: Invariant = (_world, decided) => {
  const { rejected = [], stable } = decided.status;
  const found = rejected.find(({ revision }) => revision !== stable?.revision && weightOf(decided, revision) > 0);
  return found && `${found.version} was rejected and gets requests`;
};

/** The model keeps a book of its own of what was rolled back, so that a forgotten rejection is found. */
const condemnedGetsNothing: Invariant = (world, decided, { condemned }) => {
  const { stable, lastHandledRetry } = decided.status;
  const forgiven = lastHandledRetry === world.status.lastHandledRetry ? undefined : lastHandledRetry;
  const found = decided.backends.find(
    ({ revision }) => condemned.has(revision) && revision !== stable?.revision && revision !== forgiven,
  );
  return found && `${found.revision} was rolled back, nobody forgave it, and it gets requests`;
};

const rolledBackIsOutOfTheRoute: Invariant = (world, decided, { plane }) => {
  const { candidate } = decided.status;
  if (candidate?.phase !== 'RolledBack' || world.status.candidate?.phase !== 'RollingBack') return undefined;
  return plane.served().includes(candidate.revision)
    ? 'RolledBack is told while the gateway still sends requests'
    : undefined;
};

/** By default: what is blind, undecided or shared neither raises what the candidate is shown to, nor ends the bake. */
const undecidedNeverAdvances: Invariant = (world, decided) => {
  const [before, after] = [liveCandidate(world.status), decided.status.candidate];
  if (before === undefined || after?.revision !== before.revision || before.back === true) return undefined;
  if (world.asked.promote === world.status.rolloutID) return undefined;
  const passed = equals(exposureOf(before), exposureBefore(world.spec.rollout.steps, before.step));
  const more = levelOf(exposureOf(after)) > levelOf(exposureOf(before)) && (after.step > before.step || !passed);
  if (!more && !(after.phase === 'Complete' && before.phase === 'Baking')) return undefined;
  const guard = holdingGuard(world, before, judgeGuards(world, before));
  return guard && `${decided.rule} went on although guard ${guard.name} says ${guard.verdict}`;
};

const failedNeverAdvances: Invariant = (world, decided) => {
  const [before, after] = [liveCandidate(world.status), decided.status.candidate];
  if (before === undefined || after?.revision !== before.revision || before.back === true) return undefined;
  const failed = judgeGuards(world, before).some(({ verdict }) => verdict === 'Fail');
  const more = levelOf(exposureOf(after)) > levelOf(exposureOf(before)) || after.phase === 'Complete';
  return failed && more ? `${decided.rule} went on although a guard fails` : undefined;
};

/** surge: Auto: a revision with a weight has the pods for it, in what is asked for and, where it rises, in what is ready. */
const capacityHolds: Invariant = (world, decided, { frozen, pods }) => {
  const { min } = world.spec.predictor.replicas;
  const { stable } = decided.status;
  const of = weightOf(decided, stable?.revision);
  if ((decided.replicas[stable?.revision ?? ''] ?? 0) < Math.ceil((min * of) / TOTAL_WEIGHT))
    return 'stable has fewer pods than its weight needs';
  const [before, after] = [liveCandidate(world.status), decided.status.candidate];
  if (
    frozen !== undefined ||
    after === undefined ||
    after.weight <= (before?.weight ?? 0) ||
    after.phase !== 'Shifting'
  )
    return undefined;
  const ready = pods.get(after.revision)?.ready ?? 0;
  return ready < Math.ceil((min * after.weight) / 100) ? `${after.weight}% for ${ready} ready pods` : undefined;
};

const nothingNeededGoes: Invariant = (world, decided, { plane }) => {
  const needed = [
    world.status.stable?.revision,
    liveCandidate(world.status)?.revision,
    ...decided.backends.map(({ revision }) => revision),
  ];
  const served = plane.served();
  const gone = decided.remove.find((revision) => needed.includes(revision) || served.includes(revision));
  return gone && `${gone} is removed and still needed`;
};

/** The world with the worst news about its candidate: a guard that fails where it is asked anything, else a crash. */
function withFailing(world: World, candidate: CandidateStatus, stable: StableStatus): World {
  const guards = [{ name: 'errors', errors: { max: '1%' } }];
  const { revision } = candidate;
  if (levelOf(exposureOf(candidate)) <= levelOf({ phase: 'Previewing', weight: 0 })) {
    const trouble = { reason: 'ModelInvalid', message: 'it does not load', fatal: true };
    return { ...world, revisions: { ...world.revisions, [revision]: { replicas: 1, ready: 0, trouble } } };
  }
  const minorOf = (name: string): number => Number(name.slice(-1));
  return {
    ...world,
    spec: { ...world.spec, rollout: { ...world.spec.rollout, onFail: 'RollBack', guards } },
    evidence: {
      [stable.revision]: evidenceOf(minorOf(stable.revision), requests(5000)),
      [revision]: evidenceOf(minorOf(revision), requests(500, 500)),
    },
  };
}

/** Had the candidate just failed, this pass would take its requests away, whatever else goes on. */
const rollbackIsOnePassAway: Invariant = (world) => {
  const candidate = liveCandidate(world.status);
  const { stable } = world.status;
  if (candidate === undefined || stable === undefined || candidate.back === true) return undefined;
  const decided = plan(withFailing(world, candidate, stable));
  const got = weightOf(decided, candidate.revision);
  return got === 0 && decided.rule === 'roll-back' ? undefined : `a failing candidate keeps ${got} by ${decided.rule}`;
};

const historyHolds: Invariant = (world, { status }) => {
  if (status.history === world.status.history) return undefined;
  const at = brokenLink(status.history ?? []);
  return at === undefined ? undefined : `entry ${at} of the history is broken`;
};

const samePlanTwice: Invariant = (world, decided) =>
  JSON.stringify(plan(world)) === JSON.stringify(decided) ? undefined : 'the same world gave two plans';

/** Copies are asked for only beside users, and change nothing of what these get. */
const opinionsMoveNothing: Invariant = (world, decided) => {
  const { candidate } = decided.status;
  if (!isAsking(candidate?.secondOpinion)) return undefined;
  const weight = weightOf(decided, candidate?.revision);
  if (candidate?.phase !== 'Shifting' || weight === 0 || weight === TOTAL_WEIGHT)
    return `a candidate in ${candidate?.phase} at ${weight} is asked with copies`;
  const rollout = { ...world.spec.rollout, secondOpinion: 'Never' } as const;
  const without = plan({ ...world, spec: { ...world.spec, rollout } });
  return weightOf(without, candidate.revision) === weight && without.rule === decided.rule
    ? undefined
    : `a second opinion led to ${decided.rule} instead of ${without.rule}`;
};

const conditionsAgree: Invariant = (_world, { observed }) => {
  const of = (type: string) => observed.find((o) => o.type === type)?.status;
  return of('Reconciling') === 'True' && of('Stalled') === 'True' ? 'Reconciling and Stalled are both True' : undefined;
};

const ALWAYS: readonly Invariant[] = [
  weightsAddUp,
  leavingGetsNothing,
  rejectedGetsNothing,
  condemnedGetsNothing,
  rolledBackIsOutOfTheRoute,
  undecidedNeverAdvances,
  failedNeverAdvances,
  nothingNeededGoes,
  rollbackIsOnePassAway,
  historyHolds,
  opinionsMoveNothing,
  samePlanTwice,
  conditionsAgree,
];

export const invariantsFor = ({ rollout, traffic }: World['spec']): readonly Invariant[] =>
  rollout.surge === 'Auto' && traffic.provider === 'Gateway' ? [...ALWAYS, capacityHolds] : ALWAYS;

/** surge: Auto: what the gateway really sends to a revision, it has the pods for, also after a pass that died on its way. */
export function shortOfPods({ latest, plane, pods }: Cluster): string | undefined {
  const { predictor, rollout, traffic } = latest.spec;
  if (rollout.surge !== 'Auto' || traffic.provider !== 'Gateway') return undefined;
  const short = Object.entries(plane.inForce?.weights ?? {}).find(
    ([revision, weight]) =>
      (pods.get(revision)?.asked ?? 0) < Math.ceil((predictor.replicas.min * weight) / TOTAL_WEIGHT),
  );
  return short && `${short[0]} gets ${short[1]} and has ${pods.get(short[0])?.asked ?? 0} pods`;
}
