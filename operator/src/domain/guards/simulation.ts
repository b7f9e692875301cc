import { Passing, type Traffic } from './rehearsal/passing.ts';
import { lookAt } from './rehearsal/view.ts';

export interface SimulatedRollout extends Traffic {
  /** Seconds of each step; a look each. */
  readonly stepSeconds: number;
}

export interface FirstFail {
  /** Looks since the rollout began. */
  readonly looks: number;
  readonly guard: string;
}

/** Looks at every second of a rollout, and ends at the first Fail. undefined: none failed. Each step takes its time, whatever is said. */
export function firstFail({ stepSeconds, ...traffic }: SimulatedRollout): FirstFail | undefined {
  const { rollout } = traffic;
  const passing = new Passing(traffic);
  let looks = 0;
  for (const [index, step] of rollout.steps.entries()) {
    passing.enter();
    const phase = step.shadow === undefined ? 'Shifting' : 'Shadowing';
    const place = { phase, step: index, weight: step.weight ?? 0, before: looks } as const;
    for (let at = 1; at <= stepSeconds; at += 1) {
      passing.pass(step, at);
      looks += 1;
      const { failed } = lookAt(rollout, place, passing, at);
      if (failed !== undefined) return { looks, guard: failed.name };
    }
  }
  return undefined;
}
