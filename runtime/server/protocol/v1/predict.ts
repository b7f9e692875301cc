import type { Signature, Tensor } from '@slipway/crds/contract';
import type { Outcome } from '../../batching/scheduler.ts';
import type { ServedModel } from '../../models/servedModel.ts';
import { badRequest } from '../../requestError.ts';
import type { TensorValue } from '../../tensor.ts';
import type { InferContext, Pending } from '../infer.ts';
import type { InferAnswer } from '../inferAnswer.ts';
import { hasWide, isObject } from '../inferPlan.ts';
import { nonFiniteIn } from '../json/elements.ts';
import { rowText } from '../json/texts.ts';
import { brief, parseJson, readValues } from '../json/values.ts';
import { orderOf } from '../order.ts';
import { named, quoted } from '../sentences.ts';
import { MAX_ELEMENTS, openLease, refusal } from '../tensorHeader.ts';
import { isBinaryValue, withTexts } from './binaryValues.ts';

/**
 * Reads the body of POST /v1/models/<m>:predict (the V1 protocol of KServe and TensorFlow Serving): {"instances": […]},
 * values of the only input or objects by input name, or {"inputs": …}, the same or whole tensors by name. A text may be
 * spelled {"b64": "<base64>"}. The answer is {"predictions": […]}, one for each row: a value, or an object by output name
 * where there are several outputs.
 * Throws RequestError 400, EngineError Overloaded, TooLate or Closing; then nothing stays leased.
 */
export function predict(
  body: Buffer,
  headerLength: number | undefined,
  model: ServedModel,
  { now, headers, limits }: InferContext,
): Pending {
  if (headerLength !== undefined) throw badRequest('V1 takes JSON alone; send binary tensors to /v2/models/…/infer.');
  const json = parseJson(body, hasWide(model));
  if (!isObject(json)) throw badRequest('The body must be a JSON object with "instances".');
  const { instances, inputs } = json;
  if ((instances === undefined) === (inputs === undefined)) {
    throw badRequest('Send either "instances", a list of rows, or "inputs".');
  }
  const rows = instances === undefined ? byInput(inputs, model) : byRow(instances, 'instances', model);
  const values = model.signature.inputs.map((declared, i) => withTexts(rows[i], declared));
  const tensors = model.signature.inputs.map((declared, i) => ({
    name: declared.name,
    datatype: declared.datatype,
    shape: shapeOf(values[i], declared),
  }));
  const order = orderOf(undefined, undefined, model, now, headers, limits?.requestTimeoutMs);
  const most = Math.min(limits?.maxElements ?? MAX_ELEMENTS, body.length);
  const { lease } = openLease(tensors, model, most, order);
  try {
    for (const [i, into] of lease.inputs.entries()) readValues(values[i], into);
  } catch (error) {
    lease.release();
    throw error;
  }
  return { lease, order, id: undefined, answer: (outcome) => answer(model, outcome) };
}

const namesOf = (tensors: readonly Tensor[]): string => named(tensors.map(({ name }) => name));

/** For each input of the model the list of its rows. */
function byRow(json: unknown, field: string, { signature }: ServedModel): readonly unknown[] {
  if (!Array.isArray(json) || json.length === 0) throw badRequest(`"${field}" must be a list of at least one row.`);
  const rows: readonly unknown[] = json;
  const { inputs } = signature;
  if (!rows.some((row) => isObject(row) && !isSpelledText(row, signature))) {
    if (inputs.length === 1) return [rows];
    throw badRequest(`The model takes ${namesOf(inputs)}; send each row as an object of them.`);
  }
  return inputs.map(({ name }) => rows.map((row, i) => partOf(row, i, name, inputs)));
}

/** An input that is called b64 itself is what its name says. */
const isSpelledText = (row: unknown, { inputs }: Signature): boolean =>
  isBinaryValue(row) && !inputs.some(({ name }) => name === 'b64');

function partOf(row: unknown, index: number, name: string, inputs: readonly Tensor[]): unknown {
  if (!isObject(row)) throw badRequest(`Row ${index} is ${brief(row)}, other rows are objects.`);
  const unknown = Object.keys(row).find((key) => !inputs.some((input) => input.name === key));
  if (unknown !== undefined)
    throw badRequest(`Row ${index}: there is no input ${quoted(unknown)}; the model takes ${namesOf(inputs)}.`);
  if (!Object.hasOwn(row, name)) throw badRequest(`Row ${index}: input "${name}" is missing.`);
  return row[name];
}

function byInput(json: unknown, model: ServedModel): readonly unknown[] {
  if (!isObject(json) || isSpelledText(json, model.signature)) return byRow(json, 'inputs', model);
  const { inputs } = model.signature;
  const unknown = Object.keys(json).find((key) => !inputs.some(({ name }) => name === key));
  if (unknown !== undefined)
    throw badRequest(`There is no input ${quoted(unknown)}; the model takes ${namesOf(inputs)}.`);
  return inputs.map(({ name }) => {
    if (!Object.hasOwn(json, name)) throw badRequest(`Input "${name}" is missing; the model takes ${namesOf(inputs)}.`);
    return json[name];
  });
}

/** The shape that nested lists have, by the first entry of each; whether all agree shows when they are read. */
function shapeOf(values: unknown, { name, shape }: Tensor): readonly number[] {
  const sizes: number[] = [];
  for (let level = values; Array.isArray(level) && sizes.length <= shape.length; level = level[0]) {
    sizes.push(level.length);
  }
  if (sizes.length === 0) throw refusal(name, `send a list of rows, not ${brief(values)}.`);
  const single = sizes.length === 1 && shape.length === 2 && shape[1] === 1; // a bare value for a list of one
  return single ? [...sizes, 1] : sizes;
}

function answer(model: ServedModel, { outputs }: Outcome): InferAnswer {
  const count = outputs.reduce((sum, output) => sum + nonFiniteIn(output), 0);
  if (count > 0) model.evidence.nonFinite(count);
  const rows = outputs[0]?.shape[0] ?? 1;
  const { nonFinite } = model.settings;
  const textOf = (output: TensorValue, row: number): string =>
    output.shape.length === 0 ? rowText({ ...output, shape: [1] }, 0, nonFinite) : rowText(output, row, nonFinite);
  const [only] = outputs;
  const texts = Array.from({ length: rows }, (_, row) =>
    only && outputs.length === 1
      ? textOf(only, row)
      : `{${outputs.map((output) => `${JSON.stringify(output.name)}:${textOf(output, row)}`).join(',')}}`,
  );
  return { body: `{"predictions":[${texts.join(',')}]}`, headerLength: undefined };
}

/** Body of GET /v1/models. */
export const v1Models = (names: readonly string[]): object => ({ models: names });

/** Body of GET /v1/models/<m>: with status 503 where it is not ready. */
export const v1Status = (name: string, ready: boolean): object => ({ name, ready });
