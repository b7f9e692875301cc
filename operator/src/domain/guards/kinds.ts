import { type Guard, type GuardKind, guardKindOf } from '@slipway/crds';
import { accuracy } from './accuracy.ts';
import { disagreement } from './disagreement.ts';
import { errors } from './errors.ts';
import { invalidOutputs } from './invalidOutputs.ts';
import { job } from './job.ts';
import { latency } from './latency.ts';
import { predictionShift } from './predictionShift.ts';
import { prometheus } from './prometheus.ts';
import type { Asked, Kind, Question } from './question.ts';
import type { Phase } from './sight.ts';

const KINDS: { readonly [K in GuardKind]: Kind<Asked<K>> } = {
  errors,
  latency,
  disagreement,
  predictionShift,
  invalidOutputs,
  accuracy,
  prometheus,
  job,
};

export const kindsOfGuards = Object.keys(KINDS) as readonly GuardKind[];

/** A guard with what its kind makes of it. */
export interface Reading {
  readonly guard: Guard;
  readonly kind: GuardKind;
  readonly questions: readonly Question[];
  readonly isJudgedIn: (phase: Phase) => boolean;
  readonly holds: ReturnType<Kind<never>['holds']> extends infer V ? (phase: Phase) => V : never;
}

function readingAs<K extends GuardKind>(guard: Guard, kind: K): Reading {
  const asked = guard[kind] as Asked<K>;
  const { questions, phases, holds } = KINDS[kind];
  return {
    guard,
    kind,
    questions: questions(asked, guard.name),
    isJudgedIn: (phase) => phases.includes(phase),
    holds: (phase) => holds(phase, asked),
  };
}

export const readingOf = (guard: Guard): Reading => readingAs(guard, guardKindOf(guard));
