import type { TensorValue } from '../tensor.ts';
import type { Engine, RunOptions } from './engine.ts';

/**
 * A model that is open twice: once with all threads for a run, and once with one thread a run, `cores` of which may go on
 * at the same time. Under load the second way costs less: threads of one run wait for each other at every operator, and
 * twice if one of them shares its core with the thread of the sockets.
 */
export function perCoreEngine(whole: Engine, single: Engine, cores: number): Engine {
  return {
    backend: whole.backend,
    signature: whole.signature,
    providers: whole.providers,
    perCore: cores,
    get healthy() {
      return whole.healthy && single.healthy;
    },
    run: (inputs: readonly TensorValue[], outputs: readonly string[], options?: RunOptions) =>
      (options?.perCore ? single : whole).run(inputs, outputs, options),
    ...(whole.runHere ? { runHere: whole.runHere.bind(whole) } : {}),
    ...(whole.check ? { check: whole.check.bind(whole) } : {}),
    async close() {
      await Promise.all([whole.close(), single.close()]);
    },
  };
}
