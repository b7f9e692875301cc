import type { Guard, InferenceServiceSpec } from '@slipway/crds';
import { requestsToVerdict } from '../../src/domain/analysis/verdict.ts';
import { parseDuration } from '../../src/domain/duration.ts';
import { parsePercent } from '../../src/domain/guards/percent.ts';
import { span, table } from '../render/text.ts';

type Rollout = InferenceServiceSpec['rollout'];
type Step = Rollout['steps'][number];

/** The share that a guard holds requests against; undefined for one that asks something else. */
function limitOf({ errors, latency, disagreement, invalidOutputs }: Guard): number | undefined {
  if (latency !== undefined && latency.worseBy === undefined) return 1 - latency.quantile / 100;
  const text = errors?.max ?? disagreement?.max ?? invalidOutputs?.max;
  return text === undefined ? undefined : parsePercent(text);
}

/** Requests that a faultless candidate needs until every guard with a limit of its own passes. */
export function cleanRequests({ guards = [], confidence }: Rollout): number {
  const risk = { fail: 1 - Number(confidence.fail), pass: 1 - Number(confidence.pass) };
  const needed = guards.map((guard) => {
    const limit = limitOf(guard);
    return limit === undefined || limit <= 0 ? 0 : (requestsToVerdict({ hits: 0, total: 0 }, limit, risk) ?? 0);
  });
  return Math.max(0, ...needed);
}

/** What a step shows to whom. */
export const exposureText = ({ weight, shadow, preview, people = 1 }: Step): string => {
  if (weight !== undefined) return `${weight}% of requests`;
  if (shadow !== undefined) return `copies of ${shadow}%`;
  if (preview === true) return 'preview by header';
  return people === 1 ? 'approval by a person' : `approval by ${people} people`;
};

/** Seconds a step takes at least, at so many requests a second. undefined: as long as a person takes. */
export function stepSeconds(rollout: Rollout, step: Step, perSecond: number): number | undefined {
  if (step.approval === true) return undefined;
  const own = parseDuration(step.for ?? '0s') / 1000;
  const share = (step.weight ?? step.shadow ?? 0) / 100;
  return share === 0 ? own : Math.max(own, cleanRequests(rollout) / (perSecond * share));
}

/** Pods the candidate needs for a step beside a stable version of so many. */
const podsFor = (step: Step, before: number, total: number): number => {
  const percent = step.weight ?? step.shadow ?? (step.preview === true ? 100 : 0);
  return step.approval === true ? before : Math.max(1, Math.ceil((total * percent) / 100));
};

/** One row a step: what it shows to whom, with how many pods of the candidate, and how long it takes at least. */
export function stepTable(rollout: Rollout, pods: number, perSecond: number | undefined): string[] {
  let before = 0;
  const rows = rollout.steps.map((step, i) => {
    before = podsFor(step, before, pods);
    const seconds = perSecond === undefined ? undefined : stepSeconds(rollout, step, perSecond);
    const least = perSecond === undefined ? (step.for ?? '-') : seconds === undefined ? '-' : span(seconds);
    return [String(i + 1), exposureText(step), String(before), least];
  });
  return table([['STEP', 'CANDIDATE GETS', 'PODS', 'AT LEAST'], ...rows], 2);
}
