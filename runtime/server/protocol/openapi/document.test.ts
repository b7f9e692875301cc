import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { protocolModel, tensor } from '../../../test/protocolModel.ts';
import { openApiDocument } from './document.ts';

const tabular = protocolModel(
  {
    inputs: [tensor('x', 'FP32', [-1, 2], ['distance', 'delay']), tensor('carrier', 'BYTES', [-1, 1])],
    outputs: [tensor('y', 'FP32', [-1, 3]), tensor('code', 'INT64', [-1])],
  },
  { name: 'flight delays' },
);
const image = protocolModel({ inputs: [tensor('pixels', 'UINT8', [1, 3, 8, -1])], outputs: [tensor('s', 'FP16', [])] });

interface Content {
  readonly content: { readonly 'application/json': { readonly schema: object; readonly examples: object } };
}
const bodyOf = (document: object, path: string): Content['content']['application/json'] => {
  const { paths } = document as {
    readonly paths: Record<string, { readonly post: { readonly requestBody: Content } }>;
  };
  return paths[path]?.post.requestBody.content['application/json'] as Content['content']['application/json'];
};

test('the document is valid OpenAPI 3.1', async () => {
  const document = openApiDocument([tabular, image], '1.2.3');
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('each model has its own inputs, and rows where its columns have names', () => {
  const { schema, examples } = bodyOf(openApiDocument([tabular], '1'), '/v2/models/flight%20delays/infer');
  expect(schema).toMatchObject({
    oneOf: [
      { properties: { inputs: { minItems: 2, items: { anyOf: [{ properties: { name: { const: 'x' } } }, {}] } } } },
      { properties: { rows: { items: { required: ['distance', 'delay', 'carrier'], additionalProperties: false } } } },
    ],
  });
  expect(examples).toMatchObject({
    tensors: { value: { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 0] }, {}] } },
    rows: { value: { rows: [{ distance: 0, delay: 0, carrier: 'text' }] } },
  });
});

test('a row of V1 has its texts as they are or in base64, and its numbers as numbers', () => {
  const { schema } = bodyOf(openApiDocument([tabular], '1'), '/v1/models/flight%20delays:predict');
  expect(schema).toMatchObject({
    properties: {
      instances: {
        items: {
          properties: {
            x: { type: 'array', items: { type: 'number' } },
            carrier: { type: 'array', items: { anyOf: [{ type: 'string' }, { required: ['b64'] }] } },
          },
        },
      },
    },
  });
});

test('the example is a golden request where there is one', () => {
  const example = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [3, 4] }];
  const document = openApiDocument([{ ...tabular, example }], '1');
  expect(bodyOf(document, '/v2/models/flight%20delays/infer').examples).toMatchObject({
    tensors: { value: { inputs: example } },
  });
});

test('columns without names have no rows', () => {
  const { schema } = bodyOf(openApiDocument([image], '1'), '/v2/models/m/infer');
  expect(schema).not.toHaveProperty('oneOf');
});
