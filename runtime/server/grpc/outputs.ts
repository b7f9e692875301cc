import type { ServedModel } from '../models/servedModel.ts';
import { classified } from '../protocol/classification.ts';
import { nonFiniteIn } from '../protocol/json/elements.ts';
import { badRequest } from '../requestError.ts';
import type { TensorValue } from '../tensor.ts';
import type { InferOutput } from './messages/inferRequest.ts';

/** For each requested output the number of largest classes to answer, 0 for its values; undefined: values of all. */
export type Classes = readonly number[] | undefined;

/** Reads the parameter "classification" of the requested outputs. Throws RequestError 400. */
export function classesOf(outputs: readonly InferOutput[] | undefined, { signature }: ServedModel): Classes {
  if (!outputs?.some(({ parameters }) => parameters?.['classification'] !== undefined)) return undefined;
  return outputs.map(({ name, parameters }) => {
    const count = Number(parameters?.['classification'] ?? 0);
    if (!Number.isSafeInteger(count) || count < 0) {
      throw badRequest(`Parameter "classification" of output "${name}" must be a whole number of classes.`);
    }
    if (count > 0 && signature.outputs.some((output) => output.name === name && output.datatype === 'BYTES')) {
      throw badRequest(`Output "${name}" holds text, which has no largest classes; leave "classification" out.`);
    }
    return count;
  });
}

/** The outputs as they go back. Tells the model's evidence of values that are not finite. */
export function answeredOutputs(
  outputs: readonly TensorValue[],
  classes: Classes,
  { evidence, labels, scheduler }: ServedModel,
): readonly TensorValue[] {
  let nonFinite = 0;
  for (const output of outputs) nonFinite += nonFiniteIn(output);
  if (nonFinite > 0) evidence.nonFinite(nonFinite);
  if (!classes) return outputs;
  return outputs.map((output, i) => {
    const count = classes[i] ?? 0;
    return count > 0 ? classified(output, count, labels, scheduler.batchable) : output;
  });
}
