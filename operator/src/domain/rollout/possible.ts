import { capacity, sizingOf, type Versions } from './sizing.ts';
import type { SpecFault } from './specFault.ts';
import type { World } from './world.ts';

type Step = World['spec']['rollout']['steps'][number];

/** Half a percent point: what a weight may be off where it is made of whole pods. */
const NEAR = 0.5;

/** Percent of requests that some number of a candidate's pods gets, of `total` pods in place or beside `total`. */
function shares(total: number, inPlace: boolean): readonly number[] {
  const most = inPlace ? total - 1 : total;
  const share = (pods: number): number => (100 * pods) / (inPlace ? total : total + pods);
  return [...Array.from({ length: Math.max(0, most) }, (_, i) => share(i + 1)), 100];
}

/** Whole percents that these pods can give, in rising order. */
const possibleWeights = (total: number, inPlace: boolean): readonly number[] => {
  const given = shares(total, inPlace);
  return Array.from({ length: 100 }, (_, i) => i + 1).filter((weight) =>
    given.some((share) => Math.abs(share - weight) <= NEAR),
  );
};

const nearest = (possible: readonly number[], weight: number): string =>
  [possible.findLast((w) => w < weight), possible.find((w) => w > weight)]
    .flatMap((w) => (w === undefined ? [] : [`${w}%`]))
    .join(' and ');

type Check = (step: Step, total: number, inPlace: boolean) => string | undefined;

const weightIsWhole: Check = ({ weight }, total, inPlace) => {
  const possible = possibleWeights(total, inPlace);
  if (weight === undefined || possible.includes(weight)) return undefined;
  return `asks for ${weight}%, which ${total} pods can't give: the nearest they can is ${nearest(possible, weight)}`;
};

const shadowFits: Check = ({ shadow }, total, inPlace) => {
  if (shadow === undefined || !inPlace || Math.ceil((total * shadow) / 100) < total) return undefined;
  const most = Math.floor((100 * (total - 1)) / total);
  return total === 1
    ? 'asks for copies of requests, and the one pod there is can not answer and be replaced at once: leave the step out'
    : `asks for copies of ${shadow}%, which leaves no pod of the stable version: the nearest possible is ${most}%`;
};

const previewFits: Check = ({ preview }, _total, inPlace) => {
  if (preview !== true) return undefined;
  return inPlace
    ? 'asks for a preview, which needs all pods beside those of the stable version: leave the step out, or write surge: Auto'
    : 'asks for a preview, which needs a route by header: leave the step out, or write provider: Gateway';
};

const CHECKS: readonly Check[] = [weightIsWhole, shadowFits, previewFits];

/** The first step that the pods of a service can't give where weights are made of pods, with the nearest that they can. */
export function impossibleStep(world: World, versions: Versions): SpecFault | undefined {
  const sizing = sizingOf(world.spec);
  if (sizing === 'Beside') return undefined;
  const total = capacity(world, versions);
  const inPlace = sizing === 'InPlace';
  for (const [i, step] of world.spec.rollout.steps.entries()) {
    const fault = CHECKS.map((check) => check(step, total, inPlace)).find((found) => found !== undefined);
    const mode = inPlace ? 'surge: Never' : 'provider: Replicas';
    if (fault !== undefined) return { reason: 'WeightNotPossible', message: `With ${mode}, step ${i + 1} ${fault}.` };
  }
  return undefined;
}
