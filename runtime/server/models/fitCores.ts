import type { EngineSettings } from '@slipway/crds/serving';
import { isBatchable } from '../batching/rowLayout.ts';
import type { Engine } from '../engine/engine.ts';
import { perCoreEngine } from '../engine/perCoreEngine.ts';
import type { TensorValue } from '../tensor.ts';

/** Below, what runs cost is not what is felt; above, finding out would take too long. Milliseconds of a run of one row. */
const LEAST_MS = 2;
const MOST_MS = 100;
/** The model is in memory a second time: a larger one should not be without somebody's wish. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Runs take threads of libuv's pool, of which sixteen are for all that goes on. */
const MOST_CORES = 8;
/** How long one run of the comparison should take, in rows of what a row takes. */
const TRIAL_MS = 30;
const MOST_ROWS = 8;
const PAIRS = 3;
/**
 * Slower than that alone, runs of one thread are not worth it. Beside the thread of the sockets they gain some percent
 * more than is seen here.
 */
const AS_FAST = 1.05;

export interface CoresOptions {
  readonly settings: Pick<EngineSettings, 'perCore' | 'instances' | 'threads' | 'spinning'>;
  readonly cores: number;
  /** Rows of one run at most. */
  readonly maxSize: number;
  /** Bytes of the artifact. */
  readonly bytes: number;
  /** Opens the same model with so many threads. */
  readonly open: (threads: number) => Promise<Engine>;
  readonly sample: (engine: Engine, rows: number) => readonly TensorValue[];
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  readonly log: (cores: number, ratio: number) => void;
}

/**
 * Opens a model a second time, with one thread a run, where as many runs as there are cores are measured to answer as
 * fast as one run on all of them. A model that streams its weights through the cores for each run is not such a one.
 */
export async function fitCores(engine: Engine, options: CoresOptions): Promise<Engine> {
  const cores = coresFor(engine, options);
  if (cores === 0) return engine;
  let single: Engine | undefined;
  try {
    const rowMs = await timeOf(engine, options, 1);
    if (rowMs < LEAST_MS || rowMs > MOST_MS) return engine;
    single = await options.open(1);
    const ratio = await compare(engine, single, cores, rowMs, options);
    if (ratio <= AS_FAST) {
      options.log(cores, ratio);
      return perCoreEngine(engine, single, cores);
    }
  } catch {
    // It does not run on such inputs, or not twice: nothing was learnt.
  }
  await single?.close();
  return engine;
}

/** How many runs of one thread there could be; 0: none. */
function coresFor(engine: Engine, { settings, cores, maxSize, bytes }: CoresOptions): number {
  const threads = settings.threads ?? cores;
  const isWanted = settings.perCore === 'Auto' && settings.instances === 1 && !settings.spinning;
  const isPossible = engine.backend === 'ffi' && engine.providers.every((provider) => provider === 'cpu');
  const fits = threads >= 2 && threads <= MOST_CORES && maxSize > 1 && bytes <= MOST_BYTES;
  return isWanted && isPossible && fits && isBatchable(engine.signature) ? threads : 0;
}

async function timeOf(engine: Engine, { sample, elapsed }: CoresOptions, rows: number): Promise<number> {
  const outputs = engine.signature.outputs.map(({ name }) => name);
  const inputs = sample(engine, rows);
  await engine.run(inputs, outputs);
  const begin = elapsed();
  await engine.run(inputs, outputs);
  return elapsed() - begin;
}

/** Time of as many runs of one thread as there are cores, over that of one run on all cores: least of a few pairs. */
async function compare(
  whole: Engine,
  single: Engine,
  cores: number,
  rowMs: number,
  options: CoresOptions,
): Promise<number> {
  const { sample, elapsed } = options;
  const rows = Math.max(2, Math.min(MOST_ROWS, Math.round(TRIAL_MS / rowMs)));
  const outputs = whole.signature.outputs.map(({ name }) => name);
  const all = sample(whole, rows * cores);
  const parts = Array.from({ length: cores }, () => sample(single, rows));
  const timed = async (run: () => Promise<unknown>) => {
    const begin = elapsed();
    await run();
    return elapsed() - begin;
  };
  const atOnce = () => Promise.all(parts.map((inputs) => single.run(inputs, outputs)));
  await atOnce();
  let least = Number.POSITIVE_INFINITY;
  for (let pair = 0; pair < PAIRS; pair++) {
    const wholeMs = await timed(() => whole.run(all, outputs));
    least = Math.min(least, (await timed(atOnce)) / wholeMs);
  }
  return least;
}
