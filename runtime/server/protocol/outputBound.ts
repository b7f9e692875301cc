import { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';

/**
 * Refuses to write out what no setting allows: where the caller's values decide how much a model answers, some bytes of
 * a request may order gigabytes of JSON, and no other request is served while those are written. `maxElements` is of one
 * tensor. Throws EngineError ModelFailed.
 */
export function checkOutputs(outputs: readonly TensorValue[], maxElements: number): void {
  for (const { name, elements } of outputs) {
    if (elements.length <= maxElements) continue;
    throw new EngineError(
      'ModelFailed',
      `output "${name}" has ${elements.length} elements, limits.maxElements allows ${maxElements}`,
    );
  }
}
