import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../requestError.ts';
import { ARRAYS, type Datatype, type Elements, sizeOf, type TensorValue } from '../../tensor.ts';
import { decode, encode, type Plain } from '../proto/codec.ts';
import { readInferRequest } from './inferRequest.ts';
import { answerParts, InferResponse } from './inferResponse.ts';
import { readContents, writeContents } from './typedContents.ts';
import { writeVarint } from './wire.ts';

const read = (message: Plain) => {
  const bytes = Buffer.from(encode('inference.ModelInferRequest', message));
  return { bytes, request: readInferRequest(bytes, 0, bytes.length) };
};

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const parameter = fc.oneof(
  fc.boolean().map((value) => ({ sent: { bool_param: value }, value })),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ sent: { int64_param: String(value) }, value })),
  fc.bigInt(0n, 2n ** 64n - 1n).map((value) => ({ sent: { uint64_param: String(value) }, value })),
  fc.double({ noNaN: true }).map((value) => ({ sent: { double_param: value }, value })),
  text.map((value) => ({ sent: { string_param: value }, value })),
);
const tensor = fc.record({
  name: text,
  datatype: fc.constantFrom('FP32', 'INT8', 'BYTES', ''),
  shape: fc.array(fc.integer({ min: -5, max: 100_000 }), { maxLength: 5 }),
});

test('every ModelInferRequest is read as protobufjs wrote it', () => {
  const message = fc.record({
    model_name: text,
    model_version: text,
    id: text,
    parameters: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), parameter, { maxKeys: 4 }),
    inputs: fc.array(tensor, { maxLength: 4 }),
    outputs: fc.array(fc.record({ name: text }), { maxLength: 4 }),
    raw_input_contents: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(message, ({ parameters, ...rest }) => {
      const sent = Object.fromEntries(Object.entries(parameters).map(([key, { sent }]) => [key, sent]));
      const { bytes, request } = read({ ...rest, parameters: sent });
      expect(request).toMatchObject({ model: rest.model_name, version: rest.model_version, id: rest.id });
      expect(request.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(rest.inputs);
      expect((request.outputs ?? []).map(({ name }) => name)).toEqual(rest.outputs.map(({ name }) => name));
      const values = Object.fromEntries(Object.entries(parameters).map(([key, { value }]) => [key, value]));
      expect({ ...request.parameters }).toEqual(values);
      const raw = rest.raw_input_contents.map((_, i) => bytes.subarray(request.raw[2 * i], request.raw[2 * i + 1]));
      expect(raw.map((part) => [...part])).toEqual(rest.raw_input_contents.map((part) => [...part]));
    }),
  );
});

test('fields that are not known are skipped, those that come twice count as they came last', () => {
  const one = Buffer.from(encode('inference.ModelInferRequest', { model_name: 'a', id: '1' }));
  const two = Buffer.from(encode('inference.ModelInferRequest', { model_name: 'b' }));
  const unknown = Buffer.from([
    0x98, 0x06, 1, 0x9a, 0x06, 1, 65, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9d, 0x06, 1, 2, 3, 4,
  ]);
  const all = Buffer.concat([one, unknown, two]);
  expect(readInferRequest(all, 0, all.length)).toMatchObject({ model: 'b', id: '1' });
});

test('a shape that is not packed is the same shape', () => {
  const input = Buffer.from([0x0a, 1, 120, 0x18, 2, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
  const all = Buffer.concat([Buffer.from([0x2a, input.length]), input]);
  expect(readInferRequest(all, 0, all.length).inputs[0]).toMatchObject({ name: 'x', shape: [2, -1] });
});

const bytesOf = (...parts: readonly (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))));

const broken: readonly [string, Buffer, RegExp][] = [
  ['a length beyond the end', bytesOf(0x0a, 5, 'abc'), /cut off/],
  ['a tag without its field', bytesOf(0x0a), /cut off/],
  ['a number that does not end', Buffer.alloc(11, 0xff), /longer than ten bytes/],
  ['a group', bytesOf(0x0b), /field 1 has wire type 3/],
  ['a field without a number', bytesOf(0x02, 0), /no number/],
  ['a name that is not UTF-8', bytesOf(0x0a, 2, 0xc3, 0x28), /not UTF-8/],
  ['a tensor that is cut off', bytesOf(0x2a, 3, 0x0a, 9, 'x'), /cut off/],
  ['a parameter without a value', bytesOf(0x22, 3, 0x0a, 1, 'p'), /"p" has no value/],
  ['a double of four bytes', bytesOf(0x22, 10, 0x0a, 1, 'p', 0x12, 5, 0x21, 1, 2, 3, 4), /cut off/],
  ['more raw entries than any model', Buffer.alloc(4096, Buffer.from([0x3a, 0])), /more than 1024 raw_input_contents/],
  ['more inputs than any model', Buffer.alloc(4096, Buffer.from([0x2a, 0])), /more than 1024 inputs/],
  ['more outputs than any model', Buffer.alloc(4096, Buffer.from([0x32, 0])), /more than 1024 outputs/],
];

test.each(broken)('%s is refused in a sentence', (_what, bytes, sentence) => {
  expect(() => readInferRequest(bytes, 0, bytes.length)).toThrow(sentence);
  expect(() => readInferRequest(bytes, 0, bytes.length)).toThrow(RequestError);
});

const room = (datatype: Datatype, shape: readonly number[]): TensorValue => {
  const elements: Elements =
    datatype === 'BYTES' ? new Array<string>(sizeOf(shape)).fill('') : new ARRAYS[datatype](sizeOf(shape));
  return { name: 'x', datatype, shape, elements };
};

const contentsOf = (contents: Plain) => {
  const { bytes, request } = read({ inputs: [{ name: 'x', contents }] });
  return { bytes, ranges: request.inputs[0]?.contents ?? [] };
};

describe('typed contents', () => {
  const kinds: readonly [Datatype, string, fc.Arbitrary<unknown>][] = [
    ['BOOL', 'bool_contents', fc.boolean()],
    ['INT8', 'int_contents', fc.integer({ min: -128, max: 127 })],
    ['INT16', 'int_contents', fc.integer({ min: -32_768, max: 32_767 })],
    ['INT32', 'int_contents', fc.integer()],
    ['INT64', 'int64_contents', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)],
    ['UINT8', 'uint_contents', fc.integer({ min: 0, max: 255 })],
    ['UINT16', 'uint_contents', fc.integer({ min: 0, max: 65_535 })],
    ['UINT32', 'uint_contents', fc.integer({ min: 0, max: 4_294_967_295 })],
    ['UINT64', 'uint64_contents', fc.bigInt(0n, 2n ** 64n - 1n)],
    ['FP32', 'fp32_contents', fc.float({ noNaN: true })],
    ['FP64', 'fp64_contents', fc.double({ noNaN: true })],
    ['BYTES', 'bytes_contents', text],
  ];

  test.each(kinds)('%s goes both ways through %s', (datatype, field, element) => {
    const wire = (value: unknown) =>
      typeof value === 'bigint' ? String(value) : typeof value === 'string' ? Buffer.from(value) : value;
    fc.assert(
      fc.property(fc.array(element, { maxLength: 30 }), (values) => {
        const { bytes, ranges } = contentsOf({ [field]: values.map(wire) });
        const into = room(datatype, [values.length]);
        readContents(bytes, ranges, into);
        const numbers = values.map((value) => (datatype === 'BOOL' ? Number(value) : value));
        expect([...into.elements]).toEqual(numbers);
        const parts = answerParts('m', '1', [{ name: 'x', datatype, shape: [-1] }]);
        const response = new InferResponse(parts, 'r', [into], true);
        const written = Buffer.alloc(response.size);
        expect(response.write(written, 0)).toBe(response.size);
        const answer = decode('inference.ModelInferResponse', written) as { outputs: { contents?: Plain }[] };
        const contents = (answer.outputs[0]?.contents?.[field] ?? []) as unknown[];
        expect(
          contents.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value))),
        ).toEqual(values.map(String));
      }),
      { numRuns: 40 },
    );
  });

  const refused: readonly [string, Datatype, number, Plain, RegExp][] = [
    ['too few elements', 'FP32', 3, { fp32_contents: [1, 2] }, /2 elements in fp32_contents, shape \[3\] needs 3/],
    ['too many elements', 'FP32', 1, { fp32_contents: [1, 2, 3] }, /more elements in fp32_contents/],
    [
      'the field of another datatype',
      'FP32',
      1,
      { fp64_contents: [1] },
      /fp64_contents given, FP32 belongs in fp32_contents/,
    ],
    ['text for numbers', 'INT8', 1, { bytes_contents: [Buffer.from('a')] }, /bytes_contents given/],
    ['an INT8 of 300', 'INT8', 1, { int_contents: [300] }, /element 0 is 300, INT8 takes -128 to 127/],
    ['a UINT16 of 65536', 'UINT16', 1, { uint_contents: [65_536] }, /UINT16 takes 0 to 65535/],
    ['FP16', 'FP16', 1, { fp32_contents: [1] }, /FP16 has no typed contents; send it in raw_input_contents/],
    ['BF16', 'BF16', 1, { fp32_contents: [1] }, /BF16 has no typed contents/],
    ['text that is not UTF-8', 'BYTES', 1, { bytes_contents: [Buffer.from([0xff])] }, /element 0 is not UTF-8/],
    ['nothing', 'INT64', 2, {}, /0 elements in int64_contents/],
  ];

  test.each(refused)('%s is refused', (_what, datatype, count, contents, sentence) => {
    const { bytes, ranges } = contentsOf(contents);
    expect(() => readContents(bytes, ranges, room(datatype, [count]))).toThrow(sentence);
  });
});

/** A string, bytes or message field of any length. */
const long = (tag: number, content: Uint8Array) => {
  const head = Buffer.alloc(11);
  head[0] = tag;
  return Buffer.concat([head.subarray(0, writeVarint(head, 1, content.length)), content]);
};
const keys = Buffer.concat(Array.from({ length: 16_385 }, () => Buffer.from([0x22, 6, 0x0a, 0, 0x12, 2, 8, 1])));

test.each([
  ['dimensions of one input', long(0x2a, long(0x1a, Buffer.alloc(1025, 1))), 1024],
  ['dimensions of one input', long(0x2a, Buffer.alloc(2050, Buffer.from([0x18, 1]))), 1024],
  ['contents of one input', long(0x2a, Buffer.alloc(2050, Buffer.from([0x2a, 0]))), 1024],
  ['parameters', keys, 16_384],
])('a message that lists more %s than anybody needs is refused before they take memory', (what, bytes, most) => {
  expect(() => readInferRequest(bytes, 0, bytes.length)).toThrow(`The message has more than ${most} ${what}.`);
});

test('texts of an answer are written in one piece, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })), (texts) => {
      const written = writeContents({ name: 't', datatype: 'BYTES', shape: [texts.length], elements: texts });
      const elements = room('BYTES', [texts.length]);
      readContents(written, [0, written.length], elements);
      expect(elements.elements).toEqual(texts);
    }),
  );
});

test('an answer is raw unless it can be typed, and knows its size', () => {
  const outputs: TensorValue[] = [
    { name: 'a', datatype: 'FP16', shape: [2], elements: new Uint16Array([1, 2]) },
    { name: 'b', datatype: 'FP32', shape: [1, 200], elements: new Float32Array(200).fill(1.5) },
  ];
  const parts = answerParts('model', '7', [
    { name: 'a', datatype: 'FP16', shape: [-1] },
    { name: 'b', datatype: 'FP32', shape: [-1, 200] },
  ]);
  const response = new InferResponse(parts, '', outputs, true);
  const written = Buffer.alloc(response.size + 3);
  expect(response.write(written, 3)).toBe(written.length);
  const answer = decode('inference.ModelInferResponse', written.subarray(3)) as { raw_output_contents: Uint8Array[] };
  expect(answer).toMatchObject({
    model_name: 'model',
    model_version: '7',
    outputs: [{ shape: ['2'] }, { shape: ['1', '200'] }],
  });
  expect(answer.raw_output_contents.map((raw) => raw.length)).toEqual([4, 800]);
});
