import type { Guard } from '@slipway/crds';
import type { World } from '../rollout/world.ts';
import { comparedFor } from './comparison.ts';

/** Why a guard can not work under this spec, and what to write instead; goes on after its name. */
type Fault = (world: World, guard: Guard) => string | undefined;

const comparesNothing: Fault = ({ spec }, { disagreement }) =>
  disagreement === undefined || spec.rollout.steps.some(({ shadow }) => shadow !== undefined)
    ? undefined
    : 'compares answers in shadow steps, and rollout.steps has none: add {shadow: 100, for: 10m} before the first weight, or remove the guard';

const comparesOtherwise: Fault = ({ spec }, { disagreement }) => {
  const other = disagreement && comparedFor(spec.rollout.guards ?? [], disagreement);
  return other === undefined
    ? undefined
    : `compares answers in another way than guard ${other}, and pods compare in one way at a time: give both the same compare, tolerance, k and segment, or remove one`;
};

const hasNoBaseline: Fault = ({ evidence, status, target }, { predictionShift }) => {
  if (predictionShift === undefined) return undefined;
  const stable = status.stable;
  const without = (revision: string | undefined): boolean => evidence[revision ?? '']?.predictions?.length === 0;
  const version =
    (without(target.revision) && `${target.name} ${target.version}`) ||
    (without(stable?.revision) && `${target.name} ${stable?.version}`);
  return version
    ? `needs the bins of baseline.json, and the artifact of ${version} counts no prediction: publish it with a baseline that lists its predictions, or remove the guard`
    : undefined;
};

const comparesNoPrediction: Fault = ({ evidence, target }, { predictionShift }) =>
  predictionShift !== undefined && evidence[target.revision ?? '']?.predictionLook?.predictions.length === 0
    ? 'compares predictions that both versions make, of one name and kind, and there is none: remove the guard'
    : undefined;

const isRefusedOutside: Fault = ({ external }, { name }) => {
  const found = external?.[name];
  return found?.kind === 'Invalid' ? `can't be asked: ${found.message}` : undefined;
};

const NOTHING = /^0+(\.0+)?%$/;
const ALL = /^100(\.0+)?%$/;

/** Every share that a guard allows. */
const allowed = ({ errors, latency, disagreement, invalidOutputs, accuracy, prometheus, job }: Guard) =>
  [
    errors?.max,
    errors?.worseBy,
    latency?.worseBy,
    disagreement?.max,
    invalidOutputs?.max,
    accuracy?.worseBy,
    prometheus?.max,
    job?.max,
  ].filter((share) => share !== undefined);

/** A bound comes ever nearer to nothing and never reaches it, so such a guard fails or waits, and never passes. */
const allowsNothing: Fault = (_world, guard) => {
  const none = allowed(guard).find((share) => NOTHING.test(share));
  if (none !== undefined)
    return `allows ${none}, and no number of requests shows that a share is nothing at all: write the smallest that matters, such as 0.1%`;
  const { min = '' } = guard.accuracy ?? {};
  return ALL.test(min)
    ? `asks for ${min}, and no number of labels shows that all answers are right: write the largest share that matters, such as 99.9%`
    : undefined;
};

const FAULTS: readonly Fault[] = [
  allowsNothing,
  comparesNothing,
  comparesOtherwise,
  hasNoBaseline,
  comparesNoPrediction,
  isRefusedOutside,
];

/**
 * A sentence for each guard that can never give a verdict under this spec, saying what to write instead. A candidate
 * with one gets no traffic: it would wait for that verdict for ever, or go on without the guard a user counts on.
 * Observed guards are left out, as nothing waits for them; their status says what is wrong.
 */
export function guardFaults(world: World): readonly string[] {
  const { guards = [], observe } = world.spec.rollout;
  return guards
    .filter((guard) => guard.observe !== true && observe !== true)
    .flatMap((guard) => {
      const fault = FAULTS.map((why) => why(world, guard)).find((why) => why !== undefined);
      return fault === undefined ? [] : [`Guard ${guard.name} ${fault}.`];
    });
}
