import { createRequire } from 'node:module';
import type tensorflow from '@tensorflow/tfjs';
import { installScatterAdd } from './scatterAdd.ts';

/** TensorFlow.js as the pure package exports it; the native packages export the same and more. */
export type TensorFlow = typeof tensorflow;

/** A way to compute, fastest first. `load` throws where it cannot be used. */
interface Candidate {
  readonly name: 'tfjs-node-gpu' | 'tfjs-node' | 'tfjs';
  readonly load: () => Promise<TensorFlow>;
}

export interface Backend {
  readonly tf: TensorFlow;
  readonly name: Candidate['name'];
  /** One sentence: what computes, and why nothing faster does. */
  readonly reason: string;
}

/**
 * Native packages are loaded through require: their entry point opens the shared library at once, so that a missing
 * library or driver is an error here and not at the first tensor. They are optional and never bundled.
 */
const native = (name: 'tfjs-node-gpu' | 'tfjs-node'): Candidate => ({
  name,
  load: async () => createRequire(import.meta.url)(`@tensorflow/${name}`) as TensorFlow,
});

const pure: Candidate = {
  name: 'tfjs',
  load: async () => {
    const { default: tf } = await import('@tensorflow/tfjs');
    installScatterAdd(tf);
    return tf;
  },
};

const FASTEST_FIRST: readonly Candidate[] = [native('tfjs-node-gpu'), native('tfjs-node'), pure];

/** Loads the first candidate that works. Throws only when none does. */
export async function chooseBackend(candidates: readonly Candidate[] = FASTEST_FIRST): Promise<Backend> {
  const refused: string[] = [];
  for (const { name, load } of candidates) {
    try {
      const tf = await load();
      // Checks of every tensor for NaN and the console banner are for development.
      tf.enableProdMode();
      await tf.ready();
      return { tf, name, reason: [`${name} computes on ${tf.getBackend()}`, ...refused].join('; ') };
    } catch (error) {
      refused.push(`${name} is not used: ${firstLine(error)}`);
    }
  }
  throw new Error(`no TensorFlow.js backend loads: ${refused.join('; ')}`);
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.trim() ?? '';
