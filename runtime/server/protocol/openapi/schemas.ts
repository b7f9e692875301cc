import type { Tensor } from '@slipway/crds/contract';
import type { Datatype } from '../../tensor.ts';
import { RANGES } from '../json/datatypes.ts';

export const ERROR = { type: 'object', required: ['error'], properties: { error: { type: 'string' } } };

export const ERROR_REFERENCE = { $ref: '#/components/schemas/Error' };

export const jsonBody = (description: string, schema: object, example?: unknown) => ({
  description,
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
});

export const refusals = {
  400: jsonBody('The request is wrong; the sentence says how', ERROR_REFERENCE),
  503: jsonBody('Not ready or too busy; come again after Retry-After seconds', ERROR_REFERENCE),
};

/** JSON Schema of one element. Limits that a JSON number can't hold exactly are left out. */
export function elementSchema(datatype: Datatype): object {
  if (datatype === 'BYTES') return { type: 'string' };
  if (datatype === 'BOOL') return { type: 'boolean' };
  const range = RANGES[datatype];
  if (!range) return { type: 'number' };
  const safe = range.max <= BigInt(Number.MAX_SAFE_INTEGER);
  return { type: 'integer', ...(safe ? { minimum: Number(range.min), maximum: Number(range.max) } : {}) };
}

/** JSON Schema of one tensor of a request or an answer. */
export const tensorSchemaOf = ({ name, datatype, shape }: Tensor) => ({
  type: 'object',
  required: ['name', 'datatype', 'shape', 'data'],
  properties: {
    name: { const: name },
    datatype: { const: datatype },
    shape: {
      type: 'array',
      minItems: shape.length,
      maxItems: shape.length,
      ...(shape.length > 0
        ? { prefixItems: shape.map((size) => (size < 0 ? { type: 'integer', minimum: 0 } : { const: size })) }
        : {}),
    },
    data: {
      type: 'array',
      description: 'Row-major, flat or nested as the shape says',
      items: { anyOf: [elementSchema(datatype), { type: 'array' }] },
    },
  },
});

/** V1 may spell a text in base64. */
const SPELLED_TEXT = {
  type: 'object',
  required: ['b64'],
  properties: { b64: { type: 'string', contentEncoding: 'base64' } },
  additionalProperties: false,
};

const valueSchema = (datatype: Datatype): object =>
  datatype === 'BYTES' ? { anyOf: [elementSchema(datatype), SPELLED_TEXT] } : elementSchema(datatype);

/** One row of a tensor as V1 has it: nested lists by the dimensions after the first. */
export const rowSchema = ({ datatype, shape }: Tensor): object =>
  shape
    .slice(1)
    .reduceRight<object>(
      (items, size) => ({ type: 'array', items, ...(size < 0 ? {} : { minItems: size, maxItems: size }) }),
      valueSchema(datatype),
    );
