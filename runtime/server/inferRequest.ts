import type { Signature } from '@slipway/crds/contract';
import type { TensorValue } from './engine.ts';
import { badRequest, listed } from './requestError.ts';
import { isObject, type JsonObject, parseTensor } from './tensorInput.ts';

/** A request that the model can run: every input once, in the order of the signature. */
export interface InferRequest {
  readonly id?: string;
  readonly inputs: readonly TensorValue[];
  /** Names of the outputs to answer, in the order asked for; all when none is named. */
  readonly outputs: readonly string[];
}

/** Reads the body of POST …/infer. Throws RequestError 400 with the first fault; `parameters` are tolerated. */
export function parseInferRequest(body: string, signature: Signature): InferRequest {
  const json = parseJson(body);
  const id = json['id'];
  if (id !== undefined && typeof id !== 'string') throw badRequest('id must be a string.');
  const inputs = parseInputs(json['inputs'], signature);
  const outputs = parseOutputs(json['outputs'], signature);
  return id === undefined ? { inputs, outputs } : { id, inputs, outputs };
}

function parseJson(body: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw badRequest('The body is not valid JSON.');
  }
  if (!isObject(json)) throw badRequest('The body must be a JSON object with "inputs".');
  return json;
}

/** Also reads the inputs of a golden request: both go through the same door. */
export function parseInputs(json: unknown, signature: Signature): readonly TensorValue[] {
  const given = byName(json, 'inputs');
  const names = signature.inputs.map(({ name }) => name);
  for (const name of given.keys()) {
    if (!names.includes(name)) throw badRequest(`There is no input "${name}"; the model takes ${listed(names)}.`);
  }
  return signature.inputs.map((declared) => {
    const tensor = given.get(declared.name);
    if (!tensor) throw badRequest(`Input "${declared.name}" is missing; the model takes ${listed(names)}.`);
    return parseTensor(tensor, declared);
  });
}

function parseOutputs(json: unknown, signature: Signature): readonly string[] {
  const names = signature.outputs.map(({ name }) => name);
  if (json === undefined) return names;
  const wanted = [...byName(json, 'outputs').keys()];
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw badRequest(`There is no output "${unknown}"; the model gives ${listed(names)}.`);
  return wanted.length === 0 ? names : wanted;
}

function byName(json: unknown, field: 'inputs' | 'outputs'): ReadonlyMap<string, JsonObject> {
  if (!Array.isArray(json)) throw badRequest(`"${field}" must be a list of tensors.`);
  const tensors = new Map<string, JsonObject>();
  for (const tensor of json as readonly unknown[]) {
    const name = isObject(tensor) ? tensor['name'] : undefined;
    if (typeof name !== 'string') throw badRequest(`Every entry of "${field}" needs a name.`);
    if (tensors.has(name)) throw badRequest(`"${name}" stands twice in "${field}".`);
    tensors.set(name, tensor as JsonObject);
  }
  return tensors;
}
