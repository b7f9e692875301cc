import { guardFaults } from '../guards/faults.ts';
import { impossibleStep } from './possible.ts';
import type { Versions } from './sizing.ts';
import type { SpecFault } from './specFault.ts';
import { windowFault } from './window.ts';
import type { World } from './world.ts';

type Check = (world: World, versions: Versions) => SpecFault | undefined;

const invalid = (message: string | undefined): SpecFault | undefined =>
  message === undefined ? undefined : { reason: 'WindowInvalid', message };

const windowIsValid: Check = ({ spec: { rollout } }) => invalid(rollout.window && windowFault(rollout.window));

const startIsATime: Check = ({ spec: { rollout } }) =>
  rollout.startAt !== undefined && Number.isNaN(Date.parse(rollout.startAt))
    ? invalid(`rollout.startAt: there is no time ${rollout.startAt}; write one such as 2030-01-31T09:00:00Z.`)
    : undefined;

const shadowStep = ({ spec }: World): string | undefined => {
  const at = spec.rollout.steps.findIndex(({ shadow }) => shadow !== undefined);
  return at < 0
    ? undefined
    : `Step ${at + 1} of rollout.steps copies requests in shadow, which pods do when asked: leave the step out`;
};
const keptUsers = ({ spec }: World): string | undefined =>
  spec.traffic.sessionKey === undefined
    ? undefined
    : 'traffic.sessionKey keeps users with their version, which pods do when asked: remove it';
const secondOpinion = ({ spec }: World): string | undefined =>
  spec.rollout.secondOpinion === 'OnSuspicion'
    ? 'rollout.secondOpinion: OnSuspicion copies requests, which pods do when asked: remove it'
    : undefined;
const countedPredictions = ({ spec: { rollout } }: World): string | undefined => {
  const guard = rollout.guards?.find(
    ({ predictionShift, observe }) => predictionShift !== undefined && observe !== true,
  );
  return guard === undefined || rollout.observe === true
    ? undefined
    : `Guard ${guard.name} (predictionShift) looks at bins that only the pods tell: remove it, or add observe: true`;
};

/** What is asked of pods, where none is: it would be left undone without a word, or waited for. */
const podsCanBeTold: Check = (world) => {
  if (world.podsAreAsked) return undefined;
  const fault = shadowStep(world) ?? keptUsers(world) ?? secondOpinion(world) ?? countedPredictions(world);
  const message = `${fault}, or run the operator with SLIPWAY_EVIDENCE=pods (it reads a Prometheus and asks no pod).`;
  return fault === undefined ? undefined : { reason: 'PodsNotAsked', message };
};

const guardsCanAnswer: Check = (world) => {
  const [fault] = guardFaults(world);
  return fault === undefined ? undefined : { reason: 'GuardInvalid', message: fault };
};

const CHECKS: readonly Check[] = [windowIsValid, startIsATime, podsCanBeTold, impossibleStep, guardsCanAnswer];

/**
 * What in the spec of a rollout no one can carry out, with what to write instead. Schemas refuse what they can; these
 * are known only by the operator. Nothing moves until it is mended, but the way back.
 */
export function specFault(world: World, versions: Versions): SpecFault | undefined {
  for (const check of CHECKS) {
    const fault = check(world, versions);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
