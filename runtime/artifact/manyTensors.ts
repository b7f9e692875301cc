import { MOST_TENSORS, type Signature } from '@slipway/crds/contract';
import { Failure } from './failure.ts';

/**
 * Refuses a model with more inputs or outputs than a version can tell of. Its report would be no document to the
 * operator, which would blame the image of the verifier and try again for ever.
 */
export function refuseManyTensors({ inputs, outputs }: { readonly [K in keyof Signature]: readonly unknown[] }): void {
  if (inputs.length <= MOST_TENSORS && outputs.length <= MOST_TENSORS) return;
  throw new Failure(
    'SignatureInvalid',
    `The model has ${inputs.length} inputs and ${outputs.length} outputs, and a version has at most ${MOST_TENSORS} of each: join those of one type into one tensor of as many columns (torch.cat before the export, or Concat in the graph), and name the columns in signature.json.`,
  );
}
