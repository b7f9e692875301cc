import { basename } from 'node:path';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import type { Provider } from './sessionPlan.ts';

/** What ONNX Runtime says of a GPU, or of a library for one, that it does not get; the first group is the cause. */
const CAUSES: readonly (readonly [RegExp, (cause: string) => string])[] = [
  [/(libcuda\.so[.\d]*): cannot open shared object file/, (library) => `the NVIDIA driver (${library}) is not there`],
  [/undefined symbol: (cu[A-Z]\w+)/, (symbol) => `the NVIDIA driver is too old (it lacks ${symbol})`],
  [/(\S+\.so[.\d]*): cannot open shared object file/, (library) => `${basename(library)} is not there`],
  [/(?:CUDA|CUDNN|CUBLAS) failure \d+: ([^;]+?) ?(?:;|$)/, (cause) => `CUDA says "${cause}"`],
  // All that onnxruntime-node tells, which does not pass on what the loader said.
  [/Failed to load (shared library)/, () => 'its libraries or the NVIDIA driver are not there'],
];

/** Why a GPU provider can't be had, as a clause; undefined for an error about anything else. */
export function gpuCause(error: unknown): string | undefined {
  const message = sentenceOf(error);
  for (const [pattern, clause] of CAUSES) {
    const caught = pattern.exec(message);
    if (caught) return clause(caught[1] as string);
  }
  return undefined;
}

/** A GPU provider is not there, and the model may not run without it. */
export const noProvider = (provider: Provider, cause: string): Failure =>
  new Failure(
    'ConfigurationInvalid',
    `The model cannot run on ${provider}: ${cause}; run the CUDA image on a node with an NVIDIA GPU, or write ` +
      '"providers": ["cpu"] and "requireGpu": false.',
  );

/** The same where it may: a sentence for the log. */
export const withoutProvider = (provider: Provider, cause: string): string =>
  `The model runs without ${provider}: ${cause}.`;

/** The GPU is there, but the model would not run on it. */
export const notOnGpu = (path: string): Failure =>
  new Failure(
    'ConfigurationInvalid',
    `No operator of ${basename(path)} runs on the GPU, and engine.requireGpu is on; write "providers": ["cpu"] and ` +
      '"requireGpu": false to run it on the CPU.',
  );
