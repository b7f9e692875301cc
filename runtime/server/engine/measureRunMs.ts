import type { TensorValue } from '../tensor.ts';
import type { Engine } from './engine.ts';

const WARM_UPS = 3;
const RUNS = 15;
/** A model this slow is not for the calling thread, whatever the median says. */
const GIVE_UP_MS = 20;

/**
 * Median milliseconds of a run on the calling thread, after a few that warm up; undefined where the backend can't run
 * there. Stops, with what it knows, as soon as a run takes long. Throws EngineError when the model refuses the inputs.
 */
export function measureRunMs(
  engine: Engine,
  inputs: readonly TensorValue[],
  now: () => number = () => performance.now(),
): number | undefined {
  if (!engine.runHere) return undefined;
  const outputs = engine.signature.outputs.map(({ name }) => name);
  const times: number[] = [];
  for (let i = 0; i < WARM_UPS + RUNS; i++) {
    const start = now();
    engine.runHere(inputs, outputs);
    const took = now() - start;
    if (took > GIVE_UP_MS) return took;
    if (i >= WARM_UPS) times.push(took);
  }
  return times.sort((a, b) => a - b)[RUNS >> 1];
}
