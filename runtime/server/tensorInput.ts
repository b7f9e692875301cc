import type { Tensor } from '@slipway/crds/contract';
import { CODECS } from './datatypes.ts';
import type { TensorValue } from './engine.ts';
import { badRequest } from './requestError.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads one tensor of a request against what the model declares: datatype, rank and dimensions, number of elements and
 * each element. Throws RequestError 400 with the first fault.
 */
export function parseTensor(json: JsonObject, declared: Tensor): TensorValue {
  const { name, datatype } = declared;
  const refuse: Refuse = (fault) => {
    throw badRequest(`Input "${name}": ${fault}`);
  };
  if (json['datatype'] !== datatype) {
    refuse(`datatype ${brief(json['datatype'])} given, the model takes ${datatype}.`);
  }
  const codec = CODECS[datatype] ?? refuse(`${datatype} cannot be sent as JSON.`);
  const shape = parseShape(json['shape'], declared.shape, refuse);
  const values = flatValues(json['data'], shape, refuse);
  const elements = codec.decode(values, (index) =>
    refuse(`element ${index} is ${brief(values[index])}, ${datatype} takes ${codec.takes}.`),
  );
  return { name, datatype, shape, elements };
}

type Refuse = (fault: string) => never;

/** A value as the caller wrote it, short enough for a sentence. */
const brief = (value: unknown): string => {
  const text = value === undefined ? 'undefined' : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
};

const isDimension = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseShape(json: unknown, declared: readonly number[], refuse: Refuse): readonly number[] {
  if (!Array.isArray(json) || !json.every(isDimension)) {
    return refuse(`shape must be a list of whole numbers, not ${brief(json)}.`);
  }
  const fits = json.length === declared.length && declared.every((size, i) => size === -1 || size === json[i]);
  if (!fits) refuse(`shape [${json}] does not fit [${declared}] of the model (-1 is any size).`);
  return json;
}

/** Protocol: data is flat in row-major order, or nested as its shape says. */
function flatValues(json: unknown, shape: readonly number[], refuse: Refuse): readonly unknown[] {
  if (!Array.isArray(json)) return refuse('data must be a list; binary tensors are not served.');
  if (shape.length > 1 && Array.isArray(json[0])) return unnest(json, shape, refuse);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (json.length !== size) refuse(`shape [${shape}] needs ${size} elements, data has ${json.length}.`);
  return json;
}

/** Every level is checked before it is opened, so no list grows beyond what was sent. */
function unnest(json: readonly unknown[], shape: readonly number[], refuse: Refuse): readonly unknown[] {
  let level: readonly unknown[] = [json];
  for (const size of shape) {
    const matches = (part: unknown) => Array.isArray(part) && part.length === size;
    if (!level.every(matches)) refuse(`nested data is not shaped [${shape}].`);
    level = level.flat();
  }
  return level;
}
