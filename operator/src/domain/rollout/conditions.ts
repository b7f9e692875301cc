import type { Observation } from '../../kube/conditions.ts';
import type { Decision } from './decision.ts';
import { caveat } from './rules/telling.ts';
import { backendsOf } from './weights.ts';
import type { Cause, World } from './world.ts';

const condition = (type: string, holds: boolean, reason: string, message: string): Observation => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

const stored = ({ status }: World, type: string): Observation | undefined => {
  const found = status.conditions?.find((c) => c.type === type);
  return found && condition(type, found.status === 'True', found.reason, found.message);
};

/** Revisions that get requests and have no pod to answer them. */
const unanswered = (world: World, decision: Decision): readonly string[] =>
  backendsOf(decision.state)
    .map(({ revision }) => revision)
    .filter((revision) => (world.revisions[revision]?.ready ?? 0) === 0);

function notAnswering(world: World, revisions: readonly string[]): Observation {
  const trouble = revisions.map((r) => world.revisions[r]?.trouble).find((t) => t !== undefined);
  return condition(
    'Ready',
    false,
    trouble?.reason ?? 'NoReadyPods',
    trouble ? `${trouble.message}.` : 'No pod is ready.',
  );
}

/**
 * Ready: requests are answered by the stable version (and by the candidate's share of a live rollout). It says nothing
 * about the version that is wanted: a service that rolled back is Ready.
 */
function ready(world: World, decision: Decision): Observation {
  const { stable } = decision.state;
  if (stable === undefined) return condition('Ready', false, decision.cause.reason, decision.cause.message);
  const down = unanswered(world, decision);
  if (down.length > 0) return notAnswering(world, down);
  const { route } = world;
  if (route.state === 'Refused') return condition('Ready', false, route.reason, route.message);
  if (route.state !== 'Programmed') {
    // A gateway takes a moment for each change of weights, and goes on with the old ones meanwhile.
    const before = stored(world, 'Ready');
    return before?.status === 'True'
      ? before
      : condition('Ready', false, 'RoutePending', `The gateway has not yet accepted the route.${caveat(route)}`);
  }
  return condition('Ready', true, 'Serving', `${world.target.name} ${stable.version} answers.${caveat(route)}`);
}

/** A version that is in place behind a way in that was refused: nothing is under way, and still somebody must act. */
function refusal({ route }: World, { tone, fault }: Decision): Cause | undefined {
  if (tone !== 'Done' || fault !== undefined || route.state !== 'Refused') return undefined;
  return { reason: route.reason, message: route.message };
}

/**
 * The conditions, after kstatus: Reconciling and Stalled are true when abnormal, and never both. A spec that can't be
 * carried out at the next change is Stalled already, whatever else is true.
 */
export function observe(world: World, decision: Decision): readonly Observation[] {
  const { tone, cause, paused, fault } = decision;
  const refused = refusal(world, decision);
  const stuck = fault ?? refused ?? cause;
  const complete =
    refused === undefined
      ? cause.message
      : `The desired version is in place, and its route is refused: ${refused.message}`;
  return [
    ready(world, decision),
    condition('RolloutComplete', tone === 'Done', cause.reason, complete),
    condition('Reconciling', tone === 'Progressing' && fault === undefined, cause.reason, cause.message),
    condition('Stalled', tone === 'Stalled' || stuck !== cause, stuck.reason, stuck.message),
    condition(
      'Paused',
      paused !== undefined,
      paused?.reason ?? 'NotPaused',
      paused?.message ?? 'Nothing holds it on purpose.',
    ),
  ];
}
