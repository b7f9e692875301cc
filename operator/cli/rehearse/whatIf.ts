import type { InferenceServiceSpec } from '@slipway/crds';
import type { Model } from '../../src/domain/guards/rehearsal/model.ts';
import { type Rehearsal, rehearse } from '../../src/domain/guards/rehearsal/rehearse.ts';

/** Shares of a faulty candidate's requests, from 0 to 1; what is left out is as in the stable version. */
export interface Faults {
  readonly errors?: number;
  readonly slow?: number;
  readonly invalid?: number;
  readonly disagree?: number;
  readonly wrong?: number;
}

export interface WhatIf {
  readonly rollout: InferenceServiceSpec['rollout'];
  /** Requests of the whole service. */
  readonly perSecond: number;
  readonly faults: Faults;
  /** Rollouts to play. */
  readonly runs: number;
  readonly mostSeconds: number;
}

/** A good version: one in a thousand requests fails, is slow or is answered otherwise. Labels come for one in ten. */
const SOUND: Model = {
  errors: 0.001,
  slow: 0.001,
  invalid: 0,
  differing: 0.001,
  predictions: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  labelled: 0.1,
  wrong: 0.1,
};

const faulty = ({ errors, slow, invalid, disagree, wrong }: Faults): Model => ({
  ...SOUND,
  ...(errors === undefined ? {} : { errors }),
  ...(slow === undefined ? {} : { slow }),
  ...(invalid === undefined ? {} : { invalid }),
  ...(disagree === undefined ? {} : { differing: disagree }),
  ...(wrong === undefined ? {} : { wrong }),
});

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** Many rollouts of one kind of candidate. Times in seconds; NaN where no rollout of that end was seen. */
export interface Rehearsed {
  readonly runs: number;
  readonly promoted: number;
  readonly rolledBack: number;
  readonly held: number;
  /** What the first rollout that did not arrive was held or rolled back by. */
  readonly guard: string | undefined;
  readonly toPromotion: { readonly median: number; readonly p90: number };
  readonly toRollback: { readonly median: number; readonly p90: number };
  /** Requests of users that the candidate answered, and those it failed: median of the rollouts. */
  readonly served: number;
  readonly failed: number;
  /** Median seconds of each step that was reached, by its index; the bake is one past the last. */
  readonly steps: readonly { readonly index: number; readonly seconds: number }[];
  readonly leftOut: readonly string[];
}

export function summed(played: readonly Rehearsal[]): Rehearsed {
  const ended = (outcome: Rehearsal['outcome']) => played.filter((r) => r.outcome === outcome);
  const times = (of: readonly Rehearsal[]) => {
    const seconds = of.map((r) => r.seconds);
    return { median: quantile(seconds, 0.5), p90: quantile(seconds, 0.9) };
  };
  const indexes = [...new Set(played.flatMap(({ steps }) => steps.map(({ index }) => index)))].sort((a, b) => a - b);
  const secondsOf = (index: number) =>
    played.flatMap(({ steps }) => steps.filter((step) => step.index === index).map(({ seconds }) => seconds));
  return {
    runs: played.length,
    promoted: ended('Promoted').length,
    rolledBack: ended('RolledBack').length,
    held: ended('Held').length,
    guard: played.find(({ outcome }) => outcome !== 'Promoted')?.guard,
    toPromotion: times(ended('Promoted')),
    toRollback: times(ended('RolledBack')),
    served: quantile(
      played.map((r) => r.served),
      0.5,
    ),
    failed: quantile(
      played.map((r) => r.failed),
      0.5,
    ),
    steps: indexes.map((index) => ({ index, seconds: quantile(secondsOf(index), 0.5) })),
    leftOut: played[0]?.leftOut ?? [],
  };
}

/** Seeded: the same question has the same answer. */
const play = ({ rollout, perSecond, runs, mostSeconds }: WhatIf, candidate: Model): Rehearsed =>
  summed(
    Array.from({ length: runs }, (_, i) =>
      rehearse({ rollout, candidate, stable: SOUND, perSecond, seed: i + 1, mostSeconds }),
    ),
  );

export interface Answer {
  readonly sound: Rehearsed;
  /** undefined: no fault was asked about. */
  readonly faulty: Rehearsed | undefined;
}

export const whatIf = (question: WhatIf): Answer => ({
  sound: play(question, SOUND),
  faulty: Object.keys(question.faults).length === 0 ? undefined : play(question, faulty(question.faults)),
});
