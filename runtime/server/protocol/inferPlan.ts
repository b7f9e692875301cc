import type { Tensor } from '@slipway/crds/contract';
import type { ServedModel } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import { type Datatype, sizeOf } from '../tensor.ts';
import { isWide } from './json/datatypes.ts';
import { brief } from './json/values.ts';
import { outputsOf, type Parameters } from './order.ts';
import { leastRawSize } from './rawTensor.ts';
import { quoted, shapeText } from './sentences.ts';
import { orderInputs, refusal, shapesOf, type TensorHeader } from './tensorHeader.ts';
import { refuseSharedMemory } from './unserved.ts';

/** Where the elements of one input come from. */
export type Source =
  /** A list of numbers that was cut out of the text. */
  | { readonly kind: 'region'; readonly region: number }
  /** Bytes behind the JSON text, counted from its end. */
  | { readonly kind: 'binary'; readonly at: number; readonly size: number }
  /** The same, and they are one text without its length. */
  | { readonly kind: 'text'; readonly at: number; readonly size: number }
  /** Values that JSON.parse has read. */
  | { readonly kind: 'values'; readonly values: unknown };

/** How one output goes back. */
export interface OutputForm {
  readonly name: string;
  readonly binary: boolean;
  /** Answer the largest so many as "value:index:label" instead; 0 for the values themselves. */
  readonly classes: number;
}

/** What a request asks, held against the model; the elements have not been read. Equal texts give equal plans. */
export interface InferPlan {
  readonly id: string | undefined;
  readonly parameters: Parameters | undefined;
  readonly sources: readonly Source[];
  /** positions[i] is the place among the inputs of the model of sources[i]. */
  readonly positions: readonly number[];
  /** In the order of the model's inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Elements of the largest input, or rows where those are more: no request may order more than it could fill. */
  readonly largest: number;
  /** Bytes that must follow the JSON text. */
  readonly binaryBytes: number;
  readonly outputs: readonly string[];
  readonly forms: readonly OutputForm[];
}

type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads the JSON object of an inference request. `regions`: how many lists stand as `[k]` in place of "data" (all inputs
 * then have such lists or binary data, and the id is a number in quotes), or undefined where the text was read whole. Throws RequestError 400.
 */
export function planOf(json: unknown, model: ServedModel, maxElements: number, regions: number | undefined): InferPlan {
  if (!isObject(json)) throw badRequest('The body must be a JSON object with "inputs".');
  const id = json['id'] ?? undefined; // some clients write null for what they leave out
  if (id !== undefined && typeof id !== 'string') throw badRequest('id must be a string.');
  const parameters = parametersOf(json['parameters'], 'the request');
  const tensors = objectsOf(json['inputs'], 'inputs');
  const headers = tensors.map(headerOf);
  const positions = orderInputs(headers, model);
  const shapes = shapesOf(headers, positions, model, maxElements);
  let binaryBytes = 0;
  const sources = tensors.map((tensor, i): Source => {
    const source = sourceOf(tensor, headers[i] as TensorHeader, binaryBytes, regions !== undefined);
    if (source.kind === 'binary') binaryBytes += source.size;
    return source;
  });
  const named = json['outputs'] ?? undefined;
  const forms = formsOf(named, parameters, model);
  return {
    id,
    parameters,
    sources,
    positions,
    shapes,
    largest: Math.max(0, ...shapes.map(sizeOf), model.scheduler.batchable ? (shapes[0]?.[0] ?? 0) : 0),
    binaryBytes,
    outputs: outputsOf(named === undefined ? undefined : forms.map(({ name }) => name), model),
    forms,
  };
}

/** Whether the digits of whole numbers may count beyond what a double holds. */
export const hasWide = ({ signature }: ServedModel): boolean =>
  signature.inputs.some(({ datatype }) => isWide(datatype));

/** Whether each region belongs to exactly one input: of a key that stands twice JSON.parse drops the first unread. */
export const usesAllRegions = ({ sources }: InferPlan, regions: number): boolean =>
  new Set(
    sources.map((source) => (source.kind === 'region' ? source.region : undefined)).filter((k) => k !== undefined),
  ).size === regions;

function objectsOf(json: unknown, field: 'inputs' | 'outputs'): readonly JsonObject[] {
  if (!Array.isArray(json)) throw badRequest(`"${field}" must be a list of tensors.`);
  for (const tensor of json as readonly unknown[]) {
    if (!isObject(tensor) || typeof tensor['name'] !== 'string') {
      throw badRequest(`Every entry of "${field}" needs a name.`);
    }
  }
  return json as readonly JsonObject[];
}

function headerOf(tensor: JsonObject): TensorHeader {
  const name = tensor['name'] as string;
  const { datatype, shape } = tensor;
  if (typeof datatype !== 'string') throw refusal(name, `datatype must be a string, not ${brief(datatype)}.`);
  if (!Array.isArray(shape)) throw refusal(name, `shape must be a list of whole numbers, not ${brief(shape)}.`);
  const odd = shape.findIndex((size) => typeof size !== 'number');
  if (odd >= 0) throw refusal(name, `shape must be a list of whole numbers, ${brief(shape[odd])} is none.`);
  return { name, datatype, shape };
}

function sourceOf(tensor: JsonObject, header: TensorHeader, at: number, cut: boolean): Source {
  const { name } = header;
  const parameters = parametersOf(tensor['parameters'], `input ${quoted(name)}`);
  refuseSharedMemory(parameters, `input ${quoted(name)}`);
  const size = parameters?.['binary_data_size'];
  const values = tensor['data'] ?? undefined;
  if (size === undefined) {
    if (values === undefined) throw refusal(name, 'send either "data" or the parameter "binary_data_size".');
    return cut ? { kind: 'region', region: (values as readonly number[])[0] as number } : { kind: 'values', values };
  }
  if (values !== undefined) throw refusal(name, 'send either "data" or the parameter "binary_data_size", not both.');
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw refusal(name, `binary_data_size must be a whole number of bytes, not ${brief(size)}.`);
  }
  checkRawSize(header, size as number);
  return { kind: 'binary', at, size: size as number };
}

/** Before room is leased: a shape must not order more memory than the bytes can fill. */
export function checkRawSize({ name, datatype, shape }: TensorHeader, size: number): void {
  const elements = sizeOf(shape);
  const least = leastRawSize(datatype as Datatype, elements);
  if (datatype === 'BYTES' ? size >= least : size === least) return;
  throw refusal(
    name,
    datatype === 'BYTES'
      ? `${size} bytes hold at most ${Math.floor(size / 4)} elements of BYTES, shape ${shapeText(shape)} needs ${elements}.`
      : `${size} bytes given, shape ${shapeText(shape)} of ${datatype} needs ${least}.`,
  );
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';

export function parametersOf(json: unknown, whose: string): Parameters | undefined {
  if (json === undefined || json === null) return undefined;
  if (!isObject(json)) throw badRequest(`The parameters of ${whose} must be a JSON object.`);
  for (const name in json) {
    if (!isPlain(json[name])) {
      throw badRequest(`Parameter ${quoted(name)} of ${whose} must be a string, a number, true or false.`);
    }
  }
  return json;
}

function formsOf(json: unknown, parameters: Parameters | undefined, model: ServedModel): readonly OutputForm[] {
  const all = truthOf(parameters, 'binary_data_output', 'the request') ?? false;
  const named = json === undefined ? [] : objectsOf(json, 'outputs');
  if (named.length === 0) return model.signature.outputs.map(({ name }) => ({ name, binary: all, classes: 0 }));
  return named.map((output) => {
    const name = output['name'] as string;
    const own = parametersOf(output['parameters'], `output ${quoted(name)}`);
    refuseSharedMemory(own, `output ${quoted(name)}`);
    const binary = truthOf(own, 'binary_data', `output ${quoted(name)}`) ?? all;
    const declared = model.signature.outputs.find((tensor) => tensor.name === name);
    return { name, binary, classes: classesOf(own, name, declared) };
  });
}

function truthOf(parameters: Parameters | undefined, name: string, whose: string): boolean | undefined {
  const value = parameters?.[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badRequest(`Parameter "${name}" of ${whose} must be true or false.`);
}

function classesOf(parameters: Parameters | undefined, name: string, declared: Tensor | undefined): number {
  const classes = parameters?.['classification'];
  if (classes === undefined) return 0;
  if (!Number.isSafeInteger(classes) || (classes as number) < 0) {
    throw badRequest(`Parameter "classification" of output ${quoted(name)} must be a whole number of classes.`);
  }
  if (declared?.datatype === 'BYTES') {
    throw badRequest(`Output ${quoted(name)} holds text, which has no largest classes; leave "classification" out.`);
  }
  return classes as number;
}
