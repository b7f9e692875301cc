import type { InferenceServiceSpec, RolloutStep } from '@slipway/crds';
import { requestsOf } from '../../analysis/tally.ts';
import { parseDuration } from '../../duration.ts';
import type { CandidateStatus } from '../../rollout/world.ts';
import { Passing, type Traffic } from './passing.ts';
import { type Course, lookAt, type Place, type View } from './view.ts';

/** What a rollout is played under. */
export interface Terms {
  readonly rollout: InferenceServiceSpec['rollout'];
  /** Seconds after which nobody waits any longer: Held. */
  readonly mostSeconds: number;
}

export interface RehearsalQuestion extends Traffic, Terms {}

export interface RehearsedStep {
  /** In the steps of the policy; one past the last is the bake. */
  readonly index: number;
  readonly weight?: number;
  readonly shadow?: number;
  readonly seconds: number;
}

export interface Rehearsal {
  readonly outcome: 'Promoted' | 'RolledBack' | 'Held';
  readonly seconds: number;
  readonly steps: readonly RehearsedStep[];
  /** The guard that rolled it back, or that it waits for. */
  readonly guard?: string;
  /** Requests of users that the candidate answered, copies left out. */
  readonly served: number;
  /** Of those, with a 5xx. */
  readonly failed: number;
  /** Guards that ask something outside of the traffic, which no rehearsal knows: taken as passing. */
  readonly leftOut: readonly string[];
}

/** Each look costs a millisecond, and the thousandth second of a step is much like the one before. */
export const looksAt = (second: number): boolean => second % Math.max(1, Math.floor(second / 200)) === 0;

const phaseOf = ({ shadow, preview }: RolloutStep): CandidateStatus['phase'] =>
  shadow !== undefined ? 'Shadowing' : preview === true ? 'Previewing' : 'Shifting';

interface Stage {
  readonly step: RolloutStep;
  readonly place: Omit<Place, 'before'>;
  readonly leastSeconds: number;
}

/** Steps that take time, and the bake after them. People approve at once. */
function stagesOf({ steps, bake }: InferenceServiceSpec['rollout']): readonly Stage[] {
  const stages = steps.flatMap((step, index): readonly Stage[] =>
    step.approval === true
      ? []
      : [
          {
            step,
            place: { phase: phaseOf(step), step: index, weight: step.weight ?? 0 },
            leastSeconds: parseDuration(step.for ?? '0s') / 1000,
          },
        ],
  );
  const baking = { phase: 'Baking', step: steps.length, weight: 100 } as const;
  return [...stages, { step: { weight: 100 }, place: baking, leastSeconds: parseDuration(bake) / 1000 }];
}

type End = 'Done' | 'RolledBack' | 'Held';
interface Ended {
  readonly end: End;
  readonly seconds: number;
  readonly guard?: string;
}

const named = (end: End, seconds: number, guard: string | undefined): Ended => ({
  end,
  seconds,
  ...(guard === undefined ? {} : { guard }),
});

/** What a look at a step leads to; undefined: another second of it. */
function endAt(rollout: InferenceServiceSpec['rollout'], stage: Stage, seconds: number, view: View): Ended | undefined {
  const { failed, holding } = view;
  if (failed !== undefined) return named(rollout.onFail === 'Hold' ? 'Held' : 'RolledBack', seconds, failed.name);
  if (holding === undefined) return seconds >= stage.leastSeconds ? named('Done', seconds, undefined) : undefined;
  const isOver = seconds * 1000 >= parseDuration(rollout.patience);
  const rule = holding.verdict === 'Blind' ? rollout.onBlind : rollout.onInconclusive;
  const counts = holding.verdict === 'Blind' || holding.verdict === 'NeedMore';
  return isOver && counts && rule === 'RollBack' ? named('RolledBack', seconds, holding.name) : undefined;
}

/** A rehearsal on its way. */
class Run {
  readonly #terms: Terms;
  readonly #course: Course;
  served = 0;
  failed = 0;
  seconds = 0;

  constructor(terms: Terms, course: Course) {
    this.#terms = terms;
    this.#course = course;
  }

  stage(stage: Stage): Ended {
    const { rollout, mostSeconds } = this.#terms;
    const place = { ...stage.place, before: this.seconds };
    // The bake goes on with the evidence of the last step: the weight is the same.
    if (place.phase !== 'Baking') this.#course.enter();
    let view: View = { failed: undefined, holding: undefined, guards: [] };
    for (let at = 1; this.seconds < mostSeconds; at += 1) {
      this.#second(stage.step, at);
      if (!looksAt(at)) continue;
      view = lookAt(rollout, place, this.#course, at);
      const ended = endAt(rollout, stage, at, view);
      if (ended !== undefined) return ended;
    }
    return named('Held', this.seconds - place.before, view.holding?.name);
  }

  #second(step: RolloutStep, at: number): void {
    const counted = this.#course.pass(step, at);
    this.seconds += 1;
    if (step.weight === undefined) return;
    this.served += requestsOf(counted);
    this.failed += counted.serverError;
  }
}

const stepOf = ({ step: { weight, shadow }, place }: Stage, seconds: number): RehearsedStep => ({
  index: place.step,
  ...(weight === undefined ? {} : { weight }),
  ...(shadow === undefined ? {} : { shadow }),
  seconds,
});

export const isOutside = ({ prometheus, job }: { prometheus?: unknown; job?: unknown }): boolean =>
  prometheus !== undefined || job !== undefined;

/**
 * Plays a rollout under a policy against traffic that is made up, seeded, by the code that judges real ones: the guards,
 * what each waits for, and how long a step lasts. Weights, pods and people are as quick as can be. A service that is
 * rehearsed with many seeds shows how often a policy errs, how fast it is, and how long it takes.
 */
export function rehearse(question: RehearsalQuestion): Rehearsal {
  const { guards = [] } = question.rollout;
  const leftOut = guards.filter(isOutside).map(({ name }) => name);
  const rollout = { ...question.rollout, guards: guards.filter((guard) => !isOutside(guard)) };
  return { ...play({ ...question, rollout }, new Passing({ ...question, rollout })), leftOut };
}

/** Plays a rollout under a policy against whatever traffic passes by. */
export function play(terms: Terms, course: Course): Omit<Rehearsal, 'leftOut'> {
  const { rollout } = terms;
  const run = new Run(terms, course);
  const steps: RehearsedStep[] = [];
  let last: Ended = named('Done', 0, undefined);
  for (const stage of stagesOf(rollout)) {
    last = run.stage(stage);
    steps.push(stepOf(stage, last.seconds));
    if (last.end !== 'Done') break;
  }
  return {
    outcome: last.end === 'Done' ? 'Promoted' : last.end,
    seconds: run.seconds,
    steps,
    ...(last.guard === undefined ? {} : { guard: last.guard }),
    served: run.served,
    failed: run.failed,
  };
}
