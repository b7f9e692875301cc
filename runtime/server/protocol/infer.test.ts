import { expect, test } from 'vitest';
import { affine, ask, elementsOf, mixed, one, pair } from '../../test/inferRequests.ts';
import { outcomeOf, tensorOf } from '../../test/protocolModel.ts';
import type { Elements } from '../tensor.ts';

test.each<[string, unknown]>([
  ['flat', [1, 2, 3, 4]],
  [
    'nested',
    [
      [1, 2],
      [3, 4],
    ],
  ],
])('%s data is read in row-major order', (_, data) => {
  const pending = ask(affine, { inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data }] });
  expect(elementsOf(pending)).toEqual([Float32Array.of(1, 2, 3, 4)]);
});

test('keys may come in any order, with white space anywhere', () => {
  const body =
    '\n{ "inputs" :\t[ { "data" : [ [ 1 , 2 ] ,\r\n [ 3 , 4.5 ] ] , "shape":[2,2], "name":"x","datatype":"FP32" } ] }\n';
  expect(elementsOf(ask(affine, body))).toEqual([Float32Array.of(1, 2, 3, 4.5)]);
});

test.each<[Parameters<typeof one>[0], string, Elements]>([
  ['BOOL', '[true,false,1]', Uint8Array.of(1, 0, 1)],
  ['INT8', '[-128,127,-0]', Int8Array.of(-128, 127, 0)],
  ['UINT16', '[65535,0,1.0]', Uint16Array.of(65535, 0, 1)],
  ['INT32', '[-2147483648,2147483647,1e3]', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 1000)],
  [
    'INT64',
    '[9223372036854775807,-9223372036854775808,9007199254740993]',
    BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
  ],
  ['UINT64', '[18446744073709551615,"18446744073709551615",5]', BigUint64Array.of(2n ** 64n - 1n, 2n ** 64n - 1n, 5n)],
  ['FP16', '[0.1,-65504,"NaN"]', Uint16Array.of(0x2e66, 0xfbff, 0x7e00)],
  ['BF16', '[1,0.1,"-Infinity"]', Uint16Array.of(0x3f80, 0x3dcd, 0xff80)],
  ['FP32', '[1,"NaN","-Infinity"]', Float32Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY)],
  ['FP64', '[0.1,1e308,5e-324]', Float64Array.of(0.1, 1e308, 5e-324)],
  ['BYTES', '["a","é\\n","\\ud83d\\ude00 ]"]', ['a', 'é\n', '😀 ]']],
])('%s takes %s', (datatype, data, elements) => {
  const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[3],"data":${data}}]}`;
  expect(elementsOf(ask(one(datatype), body))).toEqual([elements]);
});

test('64-bit integers keep their digits where the text has to be read whole', () => {
  const body = '{"id":"\\u0041","inputs":[{"name":"x","datatype":"INT64","shape":[2],"data":[9007199254740993,-1]}]}';
  const pending = ask(one('INT64'), body);
  expect(pending.id).toBe('A');
  expect(elementsOf(pending)).toEqual([BigInt64Array.of(2n ** 53n + 1n, -1n)]);
});

test('a text that has been seen is read anew, with its own numbers', () => {
  const body = (data: string) => `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":${data}}]}`;
  expect(elementsOf(ask(affine, body('[1,2]')))).toEqual([Float32Array.of(1, 2)]);
  expect(elementsOf(ask(affine, body('[-3.5, 4e2]')))).toEqual([Float32Array.of(-3.5, 400)]);
  expect(() => ask(affine, body('[0]'))).toThrow('Input "x": shape [1,2] needs 2 elements, data has 1.');
});

test('null stands for what is left out', () => {
  const input = { name: 'x', datatype: 'FP32', shape: [1, 2], parameters: null, data: [1, 2] };
  const pending = ask(affine, { id: null, parameters: null, inputs: [input], outputs: null });
  expect(pending.id).toBeUndefined();
  expect(elementsOf(pending)).toEqual([Float32Array.of(1, 2)]);
});

test('each request keeps its own id, wherever else the word stands', () => {
  const body = (id: string) =>
    `{"parameters":{"id":"p"},"id":"${id}","inputs":[{"id":"i","name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`;
  const ids = ['one', '0', '', 'id', '[0]'].map((id) => {
    const pending = ask(affine, body(id));
    pending.lease.release();
    const { body: answer } = pending.answer(outcomeOf(tensorOf('y', 'FP32', [1, 1], [0])));
    expect(JSON.parse(answer as string).id).toBe(id);
    return pending.id;
  });
  expect(ids).toEqual(['one', '0', '', 'id', '[0]']);
});

test("a list of the caller's is never taken for another", () => {
  const body = (parameters: string) =>
    `{"parameters":${parameters},"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[7,8]}]}`;
  expect(elementsOf(ask(affine, body('{"data":0}')))).toEqual([Float32Array.of(7, 8)]);
  expect(() => ask(affine, body('{"data":[5,6]}'))).toThrow('Parameter "data" of the request must be a string');
});

test('of a key that stands twice the last counts, as in JSON.parse', () => {
  const body = '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2],"data":[3,4]}]}';
  expect(elementsOf(ask(affine, body))).toEqual([Float32Array.of(3, 4)]);
  expect(() => ask(affine, body.replace('[1,2],"data"', '[1 2],"data"'))).toThrow('The body is not valid JSON.');
});

test('binary tensors and JSON tensors may stand in one request, in any order', () => {
  const inputs = [
    { name: 'b', datatype: 'INT32', shape: [1], parameters: { binary_data_size: 4 } },
    { name: 'a', datatype: 'FP32', shape: [1, 2], data: [0.5, 1.5] },
  ];
  const pending = ask(pair, ...mixed({ inputs }, Uint8Array.of(7, 0, 0, 0)));
  expect(elementsOf(pending)).toEqual([Float32Array.of(0.5, 1.5), Int32Array.of(7)]);
});

test('a raw-binary request is the only tensor, and its rows follow from its size', () => {
  const pending = ask(affine, Buffer.from(Float32Array.of(1, 2, 3, 4).buffer), 0);
  expect(pending.lease.inputs[0]?.shape).toEqual([2, 2]);
  expect(elementsOf(pending)).toEqual([Float32Array.of(1, 2, 3, 4)]);
  const answer = pending.answer(outcomeOf(tensorOf('y', 'FP32', [2, 1], [0.5, 0.25])));
  const head =
    '{"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[2,1],"parameters":{"binary_data_size":8}}]}';
  expect(answer.headerLength).toBe(head.length);
  expect(Buffer.concat(answer.body as Uint8Array[])).toEqual(
    Buffer.concat([Buffer.from(head), Buffer.from(Float32Array.of(0.5, 0.25).buffer)]),
  );
});

test('a raw-binary text has no length in front', () => {
  expect(elementsOf(ask(one('BYTES'), Buffer.from('wörd'), 0))).toEqual([['wörd']]);
});

test('the deadline counts from the last byte', () => {
  const pending = ask(
    affine,
    {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
      parameters: { timeout: 5000, priority: 1 },
    },
    undefined,
    100,
  );
  pending.lease.release();
  expect(pending.order).toMatchObject({ deadline: 105, priority: 1 });
});
