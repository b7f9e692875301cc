import type { Signature } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInferRequest } from './inferRequest.ts';
import { RequestError } from './requestError.ts';

const signature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'code', datatype: 'INT64', shape: [-1] },
  ],
  outputs: [
    { name: 'p', datatype: 'FP32', shape: [-1] },
    { name: 'label', datatype: 'INT64', shape: [-1] },
  ],
};
const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
const code = { name: 'code', datatype: 'INT64', shape: [1], data: [7] };

const parse = (body: unknown, of: Signature = signature) =>
  parseInferRequest(typeof body === 'string' ? body : JSON.stringify(body), of);

describe('a good request', () => {
  test('is read in the order of the signature, whatever order it came in', () => {
    const { inputs } = parse({ inputs: [code, x] });
    expect(inputs.map(({ name }) => name)).toEqual(['x', 'code']);
    expect(inputs[0]?.elements).toEqual(Float32Array.of(1, 2));
    expect(inputs[1]?.elements).toEqual(BigInt64Array.of(7n));
  });

  test('may carry parameters on every level and an id', () => {
    const parameters = { priority: 1 };
    const body = { id: 'a', parameters, inputs: [{ ...x, parameters }, code], outputs: [{ name: 'p', parameters }] };
    expect(parse(body)).toMatchObject({ id: 'a', outputs: ['p'] });
  });

  test('gets all outputs when it names none, else those it names in its order', () => {
    expect(parse({ inputs: [x, code] }).outputs).toEqual(['p', 'label']);
    expect(parse({ inputs: [x, code], outputs: [] }).outputs).toEqual(['p', 'label']);
    expect(parse({ inputs: [x, code], outputs: [{ name: 'label' }, { name: 'p' }] }).outputs).toEqual(['label', 'p']);
  });

  test('may nest its data or hold no rows at all', () => {
    const nested = {
      ...x,
      shape: [3, 2],
      data: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    };
    expect(parse({ inputs: [nested, code] }).inputs[0]?.elements).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    const empty = { ...x, shape: [0, 2], data: [] };
    expect(parse({ inputs: [empty, code] }).inputs[0]?.elements).toHaveLength(0);
  });

  test('keeps every digit of a 64-bit integer that is written as a string', () => {
    const big = { ...code, data: ['9007199254740993'] };
    expect(parse({ inputs: [x, big] }).inputs[1]?.elements).toEqual(BigInt64Array.of(9007199254740993n));
  });

  test('spells numbers that JSON lacks as strings', () => {
    const odd = { ...x, data: ['NaN', '-Infinity'] };
    expect(parse({ inputs: [odd, code] }).inputs[0]?.elements).toEqual(Float32Array.of(Number.NaN, -Infinity));
  });
});

describe('a bad request is refused in one sentence', () => {
  const cases: Record<string, [unknown, string]> = {
    'not JSON': ['{', 'The body is not valid JSON.'],
    'an empty body': ['', 'The body is not valid JSON.'],
    'a list': [[], 'The body must be a JSON object with "inputs".'],
    null: ['null', 'The body must be a JSON object with "inputs".'],
    'no inputs': [{}, '"inputs" must be a list of tensors.'],
    'an id that is a number': [{ id: 1, inputs: [x, code] }, 'id must be a string.'],
    'an input without a name': [{ inputs: [{}] }, 'Every entry of "inputs" needs a name.'],
    'an input that is null': [{ inputs: [null] }, 'Every entry of "inputs" needs a name.'],
    'an input twice': [{ inputs: [x, x] }, '"x" stands twice in "inputs".'],
    'an unknown input': [{ inputs: [{ ...x, name: 'z' }] }, 'There is no input "z"; the model takes "x" and "code".'],
    'a missing input': [{ inputs: [x] }, 'Input "code" is missing; the model takes "x" and "code".'],
    'an unknown output': [
      { inputs: [x, code], outputs: [{ name: 'q' }] },
      'There is no output "q"; the model gives "p" and "label".',
    ],
    'outputs that are names': [{ inputs: [x, code], outputs: ['p'] }, 'Every entry of "outputs" needs a name.'],
    'another datatype': [
      { inputs: [{ ...x, datatype: 'FP64' }, code] },
      'Input "x": datatype "FP64" given, the model takes FP32.',
    ],
    'no datatype': [
      { inputs: [{ ...x, datatype: undefined }, code] },
      'Input "x": datatype undefined given, the model takes FP32.',
    ],
    'no shape': [
      { inputs: [{ ...x, shape: undefined }, code] },
      'Input "x": shape must be a list of whole numbers, not undefined.',
    ],
    'a negative dimension': [
      { inputs: [{ ...x, shape: [-1, 2] }, code] },
      'Input "x": shape must be a list of whole numbers, not [-1,2].',
    ],
    'another rank': [
      { inputs: [{ ...x, shape: [2] }, code] },
      'Input "x": shape [2] does not fit [-1,2] of the model (-1 is any size).',
    ],
    'another fixed dimension': [
      { inputs: [{ ...x, shape: [1, 3] }, code] },
      'Input "x": shape [1,3] does not fit [-1,2] of the model (-1 is any size).',
    ],
    'too little data': [
      { inputs: [{ ...x, data: [1] }, code] },
      'Input "x": shape [1,2] needs 2 elements, data has 1.',
    ],
    'a shape that no machine could hold': [
      { inputs: [{ ...x, shape: [1e15, 2] }, code] },
      'Input "x": shape [1000000000000000,2] needs 2000000000000000 elements, data has 2.',
    ],
    'no data': [
      { inputs: [{ ...x, data: undefined, parameters: { binary_data_size: 8 } }, code] },
      'Input "x": data must be a list; binary tensors are not served.',
    ],
    'ragged data': [
      { inputs: [{ ...x, shape: [2, 2], data: [[1, 2], [3]] }, code] },
      'Input "x": nested data is not shaped [2,2].',
    ],
    'data nested deeper than its shape': [
      { inputs: [{ ...x, data: [[[1], 2]] }, code] },
      'Input "x": element 0 is [1], FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
    ],
    'a string among numbers': [
      { inputs: [{ ...x, data: [1, '2'] }, code] },
      'Input "x": element 1 is "2", FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
    ],
    'a null among numbers': [
      { inputs: [{ ...x, data: [null, 2] }, code] },
      'Input "x": element 0 is null, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
    ],
    'a number beyond FP32': [
      { inputs: [{ ...x, data: [1e39, 2] }, code] },
      'Input "x": element 0 is 1e+39, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
    ],
    'an integer that JSON has rounded': [
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]},{"name":"code","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}',
      'Input "code": element 0 is 9007199254740992, INT64 takes a whole number from -9223372036854775808 to 9223372036854775807, written as a string where it is beyond 2^53.',
    ],
    'an integer beyond its type': [
      { inputs: [x, { ...code, data: ['9223372036854775808'] }] },
      'Input "code": element 0 is "9223372036854775808", INT64 takes a whole number from -9223372036854775808 to 9223372036854775807, written as a string where it is beyond 2^53.',
    ],
  };
  test.each(Object.entries(cases))('%s', (_name, [body, sentence]) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ status: 400, message: sentence }));
  });

  const one = (datatype: Signature['inputs'][number]['datatype'], element: unknown) =>
    parse(
      { inputs: [{ name: 'v', datatype, shape: [1], data: [element] }] },
      { inputs: [{ name: 'v', datatype, shape: [1] }], outputs: [] },
    ).inputs[0]?.elements;

  test.each([
    ['BOOL', 1, 'true or false'],
    ['UINT8', 256, 'a whole number from 0 to 255'],
    ['UINT16', -1, 'a whole number from 0 to 65535'],
    ['UINT32', 0.5, 'a whole number from 0 to 4294967295'],
    ['INT8', 128, 'a whole number from -128 to 127'],
    ['INT16', -32769, 'a whole number from -32768 to 32767'],
    ['INT32', 2147483648, 'a whole number from -2147483648 to 2147483647'],
    ['FP64', true, 'a number, or "NaN", "Infinity", "-Infinity"'],
    ['BYTES', 5, 'a string'],
  ] as const)('%s refuses %s', (datatype, element, takes) => {
    const sentence = `Input "v": element 0 is ${element}, ${datatype} takes ${takes}.`;
    expect(() => one(datatype, element)).toThrow(sentence);
  });

  test.each([
    ['BOOL', true, Uint8Array.of(1)],
    ['UINT8', 255, Uint8Array.of(255)],
    ['UINT64', '18446744073709551615', BigUint64Array.of(2n ** 64n - 1n)],
    ['INT8', -128, Int8Array.of(-128)],
    ['INT32', -2147483648, Int32Array.of(-2147483648)],
    ['FP64', 1e300, Float64Array.of(1e300)],
    ['BYTES', 'héllo', ['héllo']],
  ] as const)('%s takes %s', (datatype, element, elements) => {
    expect(one(datatype, element)).toEqual(elements);
  });

  test('FP16 is refused by name', () => {
    expect(() => one('FP16', 1)).toThrow('Input "v": FP16 cannot be sent as JSON.');
  });
});

test('no JSON whatever makes the parser fail in another way than with a 400', () => {
  const anything = fc.oneof(
    fc.json(),
    fc
      .record({
        inputs: fc.array(
          fc.record(
            {
              name: fc.constantFrom('x', 'code'),
              shape: fc.jsonValue(),
              data: fc.jsonValue(),
              datatype: fc.constantFrom('FP32', 'INT64'),
            },
            { requiredKeys: ['name'] },
          ),
        ),
      })
      .map((body) => JSON.stringify(body)),
  );
  fc.assert(
    fc.property(anything, (body) => {
      try {
        parse(body);
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError);
        expect(error).toMatchObject({ status: 400 });
      }
    }),
  );
});
