import type { EngineSettings } from '@slipway/crds/serving';
import type { Engine } from '../engine/engine.ts';
import { measureRunMs } from '../engine/measureRunMs.ts';
import type { TensorValue } from '../tensor.ts';

/** A run of one row this short is over before a second thread has begun to help. */
const TINY_MS = 0.1;
/** What the same run takes at most by way of another thread: only then it is tried on this one, which it blocks. */
const SHORT_MS = 2;
const TRIES = 3;

/**
 * Opens a model anew with one thread where it is tiny and nobody said how many it is to have: with more, each run waits
 * for a neighbour's core to be free, for work that one thread does in microseconds. Otherwise returns what was opened.
 */
export async function fitThreads(
  open: (threads?: number) => Promise<Engine>,
  settings: Pick<EngineSettings, 'threads'>,
  sample: (engine: Engine) => readonly TensorValue[],
): Promise<Engine> {
  const engine = await open();
  if (settings.threads !== undefined || !engine.runHere) return engine;
  try {
    const inputs = sample(engine);
    if (!(await isShort(engine, inputs)) || (measureRunMs(engine, inputs) ?? Infinity) >= TINY_MS) return engine;
  } catch {
    return engine; // it does not run on such inputs: nothing was learnt
  }
  await engine.close();
  return open(1);
}

async function isShort(engine: Engine, inputs: readonly TensorValue[]): Promise<boolean> {
  const outputs = engine.signature.outputs.map(({ name }) => name);
  for (let i = 0; i < TRIES; i++) {
    const begin = performance.now();
    await engine.run(inputs, outputs);
    if (performance.now() - begin < SHORT_MS) return true;
  }
  return false;
}
