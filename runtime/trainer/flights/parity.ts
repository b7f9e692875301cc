import * as ort from 'onnxruntime-node';
import { Failure } from '../../artifact/failure.ts';
import { type Feeds, largestDifference, runExported } from '../export/parity.ts';
import { type Examples, NUMERIC_FEATURES } from './features.ts';

/** Probabilities of the exported model and the trained one may differ by rounding only. */
const TOLERANCE = 1e-5;

/** Examples as ONNX Runtime tensors. */
export function feedsOf(examples: Examples): Feeds {
  const count = examples.rows.length;
  const codes = (column: Int32Array) => new ort.Tensor('int64', BigInt64Array.from(column, BigInt), [count, 1]);
  return {
    numeric: new ort.Tensor('float32', examples.numeric, [count, NUMERIC_FEATURES.length]),
    origin: codes(examples.origin),
    destination: codes(examples.destination),
  };
}

/**
 * Returns the largest difference between the exported model's answers and the trained model's `scores`. Throws Failure
 * ModelInvalid above the tolerance: what was measured in training must be what is served.
 */
export async function assertParity(model: Uint8Array, examples: Examples, scores: Float32Array): Promise<number> {
  const difference = largestDifference(scores, await runExported(model, feedsOf(examples)));
  if (difference <= TOLERANCE) return difference;
  throw new Failure(
    'ModelInvalid',
    `The exported model differs from the trained one by ${difference} on held-out flights; at most ${TOLERANCE} is allowed.`,
  );
}
