import type { ModelSettings } from '@slipway/crds/serving';
import type { Engine } from '../engine/engine.ts';
import { BatchScheduler } from './batchScheduler.ts';
import { RememberingScheduler } from './rememberingScheduler.ts';
import { PROOFS } from './rowProof.ts';
import type { RunObserver, Scheduler } from './scheduler.ts';
import { PROCESS, type Surroundings } from './surroundings.ts';

/**
 * Below this a run on the thread that reads sockets costs its callers less than handing it to another thread and back
 * (0.1 ms with one caller, and some 40 µs of this thread's own time).
 */
const INLINE_BELOW_MS = 0.2;

export interface SchedulerOptions {
  readonly engine: Engine;
  readonly settings: Pick<ModelSettings, 'engine' | 'batching' | 'cache' | 'singleFlight'>;
  readonly observer?: RunObserver;
  /** Told when runs on the calling thread took too long again and again, so that they go elsewhere for a while: the last one's ms. */
  readonly onInlineStopped?: (ms: number) => void;
  /** Told which outputs turned out to depend on what else is in their batch, so that requests for them run alone. */
  readonly onUnshared?: (outputs: readonly string[]) => void;
  readonly inlineBelowMs?: number;
  /** Batches of each output that are checked against a run of one request alone, before anybody is answered. */
  readonly proofs?: number;
  readonly surroundings?: Surroundings;
}

/** The queue in front of one model version. */
export function openScheduler(options: SchedulerOptions): Scheduler {
  const { engine, settings, observer, surroundings = PROCESS, proofs = PROOFS } = options;
  const { onInlineStopped = () => {}, onUnshared = () => {} } = options;
  const { instances, inline } = settings.engine;
  const inlineBelowMs = inline === 'Never' ? 0 : (options.inlineBelowMs ?? INLINE_BELOW_MS);
  const batchSettings = { ...settings.batching, instances, inlineBelowMs, proofs };
  const scheduler = new BatchScheduler(engine, batchSettings, surroundings, { observer, onInlineStopped, onUnshared });
  const remembers = settings.cache !== undefined || settings.singleFlight;
  return remembers ? new RememberingScheduler(scheduler, settings, surroundings) : scheduler;
}
