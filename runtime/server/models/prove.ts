import { FILES, type Golden, type Signature } from '@slipway/crds/contract';
import type { BatchingSettings } from '@slipway/crds/serving';
import { answerOf, type Scheduler } from '../batching/scheduler.ts';
import type { TensorValue } from '../tensor.ts';
import { type Run, replayGolden } from './golden.ts';
import { type WarmUp, warmUp } from './warmUp.ts';

/** What is said while a model is opened. */
export interface ModelLog {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
}

export interface Surroundings {
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  readonly log: ModelLog;
}

const WARM_UP_BUDGET_MS = 2000;

/**
 * Golden requests and warm-up go the way of live requests, over a queue of their own, which is closed then: nothing
 * counts them. Throws Failure GoldenMismatch.
 */
export async function prove(
  model: string,
  golden: readonly Golden[],
  signature: Signature,
  batching: BatchingSettings,
  scheduler: Scheduler,
  { elapsed: now, log }: Surroundings,
): Promise<void> {
  const run = runBy(scheduler);
  const { batchable } = scheduler;
  try {
    if (golden.length === 0) log.warn({ model }, `no ${FILES.golden}: its answers here are not proven`);
    const warmed = await warmUp({ signature, batchable, batching, golden, run, now, budgetMs: WARM_UP_BUDGET_MS });
    await replayGolden(golden, signature, run);
    report(model, warmed, log);
  } finally {
    await scheduler.close();
  }
}

function report(model: string, { complaint, skipped, firstMs, steadyMs }: WarmUp, log: ModelLog): void {
  const times = { model, firstMs: round(firstMs), steadyMs: round(steadyMs), ratio: round(firstMs / steadyMs) };
  if (complaint !== undefined) log.warn({ model, complaint }, 'not warmed up: the model does not run on zeros');
  else log.info(skipped.length > 0 ? { ...times, skipped } : times, 'warmed up');
}

/** Three digits: more would be noise. */
export const round = (value: number): number => Number(value.toPrecision(3));

/** A run through the queue, for those who ask seldom. */
export const runBy =
  (scheduler: Scheduler): Run =>
  async (inputs, outputs) => {
    const lease = scheduler.lease(inputs.map(({ shape }) => shape));
    inputs.forEach(({ elements }, i) => {
      copy(elements, (lease.inputs[i] as TensorValue).elements);
    });
    return (await answerOf(lease, { outputs })).outputs;
  };

function copy(from: TensorValue['elements'], to: TensorValue['elements']): void {
  for (let i = 0; i < from.length; i++) (to as unknown[])[i] = from[i];
}
