import { guardFaults } from '../guards/faults.ts';
import { impossibleStep } from './possible.ts';
import type { Versions } from './sizing.ts';
import { windowFault } from './window.ts';
import type { Cause, World } from './world.ts';

type Check = (world: World, versions: Versions) => Cause | undefined;

const invalid = (message: string | undefined): Cause | undefined =>
  message === undefined ? undefined : { reason: 'WindowInvalid', message };

const windowIsValid: Check = ({ spec: { rollout } }) => invalid(rollout.window && windowFault(rollout.window));

const startIsATime: Check = ({ spec: { rollout } }) =>
  rollout.startAt !== undefined && Number.isNaN(Date.parse(rollout.startAt))
    ? invalid(`rollout.startAt: there is no time ${rollout.startAt}; write one such as 2030-01-31T09:00:00Z.`)
    : undefined;

const guardsCanAnswer: Check = (world) => {
  const [fault] = guardFaults(world);
  return fault === undefined ? undefined : { reason: 'GuardInvalid', message: fault };
};

const CHECKS: readonly Check[] = [windowIsValid, startIsATime, impossibleStep, guardsCanAnswer];

/**
 * What in the spec of a rollout no one can carry out, with what to write instead. Schemas refuse what they can; these
 * are known only by the operator. Nothing moves until it is mended, but the way back.
 */
export function specFault(world: World, versions: Versions): Cause | undefined {
  for (const check of CHECKS) {
    const fault = check(world, versions);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
