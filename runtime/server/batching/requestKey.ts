import { createHash } from 'node:crypto';
import type { TensorValue } from '../tensor.ts';

/**
 * The same for two requests exactly when their inputs are equal to the last bit and they ask for the same outputs in the
 * same order. A digest that nobody can collide on purpose, because equal keys get each other's answers.
 */
export function requestKey(inputs: readonly TensorValue[], outputs: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([outputs, inputs.map(({ shape }) => shape)]));
  for (const { elements } of inputs) hash.update(Array.isArray(elements) ? JSON.stringify(elements) : elements);
  return hash.digest('base64');
}
