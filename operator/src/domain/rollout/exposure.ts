import { stepAt } from './steps.ts';
import type { CandidateStatus, World } from './world.ts';

type Steps = World['spec']['rollout']['steps'];

/** How far a candidate is shown: to nobody but copies of requests, to those who ask for it, or to a share of all. */
export interface Exposure {
  readonly phase: 'Shadowing' | 'Previewing' | 'Shifting';
  /** Percent of requests. */
  readonly weight: number;
  /** Percent of requests that are copied. */
  readonly shadow?: number;
}

const HIDDEN: Exposure = { phase: 'Shifting', weight: 0 };
export const WHOLE: Exposure = { phase: 'Shifting', weight: 100 };

/** What a candidate has now. */
export function exposureOf({ phase, weight, shadow }: CandidateStatus): Exposure {
  if (phase === 'Shadowing') return { phase, weight: 0, ...(shadow === undefined ? {} : { shadow }) };
  if (phase === 'Previewing') return { phase, weight: 0 };
  return phase === 'Shifting' || phase === 'Baking' ? { phase: 'Shifting', weight } : HIDDEN;
}

/** What the step at an index asks for: an approval step keeps what the candidate has. */
export function exposureAt(steps: Steps, index: number, now: Exposure): Exposure {
  const { weight, shadow, preview } = stepAt(steps, index);
  if (weight !== undefined) return { phase: 'Shifting', weight };
  if (shadow !== undefined) return { phase: 'Shadowing', weight: 0, shadow };
  return preview === true ? { phase: 'Previewing', weight: 0 } : now;
}

/** What a candidate has that has passed every step before an index: approvals keep what the step before them gave. */
export const exposureBefore = (steps: Steps, index: number): Exposure =>
  steps.slice(0, index).reduce((now, _step, i) => exposureAt(steps, i, now), HIDDEN);

/** Exposures in their order: hidden, copies of few and of many requests, those who ask, few users and many. */
export function levelOf({ phase, weight, shadow = 0 }: Exposure): number {
  if (phase === 'Shadowing') return 1 + shadow;
  return phase === 'Previewing' ? 200 : weight === 0 ? 0 : 200 + weight;
}

export const equals = (a: Exposure, b: Exposure): boolean =>
  a.phase === b.phase && a.weight === b.weight && a.shadow === b.shadow;

/** What the candidate is shown to, in words: `Shifting 5%`. */
export const exposureText = ({ phase, weight, shadow }: Exposure): string =>
  phase === 'Shadowing' ? `Shadowing ${shadow ?? 0}%` : phase === 'Previewing' ? phase : `Shifting ${weight}%`;
