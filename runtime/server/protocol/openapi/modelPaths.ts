import type { Tensor } from '@slipway/crds/contract';
import type { ServedModel } from '../../models/servedModel.ts';
import { sizeOf } from '../../tensor.ts';
import { columnsOf } from '../rows/columns.ts';
import { ERROR_REFERENCE, elementSchema, jsonBody, refusals, rowSchema, tensorSchemaOf } from './schemas.ts';

const path = (name: string): string => encodeURIComponent(name);

/** Paths of one model. */
export function modelPaths(model: ServedModel): object {
  const { name } = model.identity;
  const open = { type: 'object' };
  return {
    [`/v2/models/${path(name)}`]: get(name, 'Its inputs and outputs', open),
    [`/v2/models/${path(name)}/ready`]: get(name, 'Whether it is ready', open),
    [`/v2/models/${path(name)}/config`]: get(name, 'Its configuration', open),
    [`/v2/models/${path(name)}/stats`]: get(name, 'Its statistics', open),
    [`/v2/models/${path(name)}/infer`]: { post: infer(model) },
    [`/v1/models/${path(name)}`]: get(name, 'Whether it is ready (V1)', open),
    [`/v1/models/${path(name)}:predict`]: { post: predictions(model) },
  };
}

const get = (tag: string, summary: string, schema: object) => ({
  get: { tags: [tag], summary, responses: { 200: jsonBody('The answer', schema) } },
});

function infer(model: ServedModel): object {
  const { identity, signature } = model;
  const rows = rowsForm(model);
  return {
    tags: [identity.name],
    summary: 'Asks the model',
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: rows ? { oneOf: [tensorsForm(signature.inputs), rows.schema] } : tensorsForm(signature.inputs),
          examples: {
            ...tensorsExample(model),
            ...(rows ? { rows: { value: rows.example } } : {}),
          },
        },
      },
    },
    responses: {
      200: jsonBody('Tensors for tensors, rows for rows', {
        type: 'object',
        required: ['model_name'],
        properties: {
          model_name: { const: identity.name },
          model_version: { type: 'string' },
          id: { type: 'string' },
          outputs: { type: 'array', items: { anyOf: signature.outputs.map(tensorSchemaOf) } },
          rows: { type: 'array', items: { type: 'object' } },
        },
      }),
      ...refusals,
      ...(rows ? { 422: jsonBody('A row does not fit; the sentence names row and feature', ERROR_REFERENCE) } : {}),
    },
  };
}

const tensorsForm = (inputs: readonly Tensor[]) => ({
  type: 'object',
  required: ['inputs'],
  properties: {
    id: { type: 'string' },
    parameters: { type: 'object' },
    inputs: {
      type: 'array',
      minItems: inputs.length,
      maxItems: inputs.length,
      items: { anyOf: inputs.map(tensorSchemaOf) },
    },
    outputs: { type: 'array', items: { type: 'object', required: ['name'] } },
  },
});

function rowsForm(model: ServedModel): { schema: object; example: object } | undefined {
  const columns = columnsOf(model);
  if (typeof columns === 'string') return undefined;
  const typeOf = (input: number) => (model.signature.inputs[input] as Tensor).datatype;
  const features = [...columns.values()];
  const row = {
    type: 'object',
    additionalProperties: false,
    required: features.map(({ name }) => name),
    properties: Object.fromEntries(features.map(({ name, input }) => [name, elementSchema(typeOf(input))])),
  };
  return {
    schema: {
      type: 'object',
      required: ['rows'],
      properties: {
        rows: { type: 'array', minItems: 1, items: row },
        probabilities: { type: 'boolean', default: false },
        raw: { type: 'boolean', default: false },
      },
    },
    example: { rows: [Object.fromEntries(features.map(({ name, input }) => [name, plain(typeOf(input))]))] },
  };
}

const plain = (datatype: Tensor['datatype']): unknown =>
  datatype === 'BYTES' ? 'text' : datatype === 'BOOL' ? false : 0;

const MOST_EXAMPLE = 64;

/** Without a golden request: one of every open dimension, and zeros. Long lists would bury the rest of the page. */
function tensorsExample({ example, signature }: ServedModel): object {
  const inputs = example ?? signature.inputs.map(exampleOf);
  return inputs.every((input) => input !== undefined) ? { tensors: { value: { inputs } } } : {};
}

function exampleOf({ name, datatype, shape }: Tensor): object | undefined {
  const one = shape.map((size) => (size < 0 ? 1 : size));
  const length = sizeOf(one);
  if (length > MOST_EXAMPLE) return undefined;
  return { name, datatype, shape: one, data: Array.from({ length }, () => plain(datatype)) };
}

function predictions({ identity, signature }: ServedModel): object {
  const { inputs } = signature;
  const [only] = inputs;
  const row =
    only && inputs.length === 1
      ? rowSchema(only)
      : {
          type: 'object',
          required: inputs.map(({ name }) => name),
          properties: Object.fromEntries(inputs.map((input) => [input.name, rowSchema(input)])),
        };
  return {
    tags: [identity.name],
    summary: 'Asks the model (V1)',
    requestBody: {
      required: true,
      ...jsonBody('Rows', {
        type: 'object',
        required: ['instances'],
        properties: { instances: { type: 'array', minItems: 1, items: row } },
      }),
    },
    responses: {
      200: jsonBody('One prediction for each row', {
        type: 'object',
        required: ['predictions'],
        properties: { predictions: { type: 'array' } },
      }),
      ...refusals,
    },
  };
}
