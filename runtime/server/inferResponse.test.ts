import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODECS, type Datatype, type Elements } from './datatypes.ts';
import { EngineError } from './engine.ts';
import { encodeInferResponse } from './inferResponse.ts';

const encode = (datatype: Datatype, elements: Elements, id?: string) =>
  encodeInferResponse({
    model: 'm',
    version: '1.0.0',
    ...(id === undefined ? {} : { id }),
    outputs: [{ name: 'o"1', datatype, shape: [elements.length], elements }],
  });

describe('an answer', () => {
  test('is the document of the protocol, id echoed and names escaped', () => {
    expect(JSON.parse(encode('FP32', Float32Array.of(0.5, -0), 'r"7'))).toEqual({
      model_name: 'm',
      model_version: '1.0.0',
      id: 'r"7',
      outputs: [{ name: 'o"1', datatype: 'FP32', shape: [2], data: [0.5, 0] }],
    });
    expect(JSON.parse(encode('BOOL', Uint8Array.of(1, 0)))).not.toHaveProperty('id');
  });

  test.each([
    ['INT64', BigInt64Array.of(9007199254740993n, -1n), '[9007199254740993,-1]'],
    ['BOOL', Uint8Array.of(1, 0), '[true,false]'],
    ['BYTES', ['a"b', 'é'], '["a\\"b","é"]'],
    ['FP64', Float64Array.of(1e21, 5e-324), '[1e+21,5e-324]'],
    ['UINT8', new Uint8Array(0), '[]'],
  ] as const)('writes %s elements as JSON', (datatype, elements, text) => {
    expect(encode(datatype, elements)).toContain(`"data":${text}}`);
  });

  test.each([Number.NaN, Infinity, -Infinity])('is refused where the model gave %s', (bad) => {
    expect(() => encode('FP32', Float32Array.of(1, bad))).toThrow(EngineError);
    expect(() => encode('FP64', Float64Array.of(1, bad))).toThrow(
      `element 1 of output "o"1" is ${bad}, which JSON cannot carry`,
    );
  });
});

test('what a codec writes it reads back unchanged', () => {
  const never = (): never => {
    throw new Error('refused');
  };
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0);
  fc.assert(
    fc.property(fc.array(finite), (values) => {
      const elements = Float32Array.from(values.map((v) => (v === 0 ? 0 : v)));
      expect(CODECS.FP32?.decode(JSON.parse(CODECS.FP32.encode(elements)), never)).toEqual(elements);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.string()), (values) => {
      expect(CODECS.BYTES?.decode(JSON.parse(CODECS.BYTES.encode(values)), never)).toEqual(values);
    }),
  );
});
