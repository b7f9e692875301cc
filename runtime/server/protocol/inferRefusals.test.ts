import { expect, test } from 'vitest';
import { affine, ask, mixed, one } from '../../test/inferRequests.ts';
import { protocolModel, tensor } from '../../test/protocolModel.ts';

const x = { name: 'x', datatype: 'FP32', shape: [1, 2] };

const wrong = (inputs: unknown, more: object = {}) => ({ ...more, inputs });
const good = [{ ...x, data: [1, 2] }];

test.each<[string, unknown, string]>([
  ['an empty body', '', 'The body is empty; send a JSON object with "inputs".'],
  ['no JSON', '{"inputs":', 'The body is not valid JSON.'],
  ['text after the JSON', `${JSON.stringify(wrong(good))}x`, 'The body is not valid JSON.'],
  ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'The body is not valid UTF-8.'],
  ['a byte order mark', `\ufeff${JSON.stringify(wrong(good))}`, 'The body is not valid JSON.'],
  ['a list', [], 'The body must be a JSON object with "inputs".'],
  ['null', 'null', 'The body must be a JSON object with "inputs".'],
  ['no inputs', {}, '"inputs" must be a list of tensors.'],
  ['inputs by name', wrong({ x: [1, 2] }), '"inputs" must be a list of tensors.'],
  ['an input without name', wrong([{ ...good[0], name: undefined }]), 'Every entry of "inputs" needs a name.'],
  ['a number for id', wrong(good, { id: 5 }), 'id must be a string.'],
  ['no datatype', wrong([{ ...good[0], datatype: undefined }]), 'Input "x": datatype must be a string, not missing.'],
  [
    'another datatype',
    wrong([{ ...good[0], datatype: 'FP64' }]),
    'Input "x": datatype "FP64" given, the model takes FP32.',
  ],
  [
    'no shape',
    wrong([{ ...good[0], shape: undefined }]),
    'Input "x": shape must be a list of whole numbers, not missing.',
  ],
  [
    'a shape of text',
    wrong([{ ...good[0], shape: ['1', '2'] }]),
    'Input "x": shape must be a list of whole numbers, "1" is none.',
  ],
  [
    'another shape',
    wrong([{ ...good[0], shape: [1, 3] }]),
    'Input "x": shape [1,3] does not fit [-1,2] of the model (-1 is any size).',
  ],
  [
    'a huge shape',
    wrong([{ ...good[0], shape: [2 ** 40, 2] }]),
    `Input "x": shape [${2 ** 40},2] means ${2 ** 41} elements, at most ${2 ** 28} can be here.`,
  ],
  [
    'more rows than bytes',
    wrong([{ ...good[0], shape: [10_000, 2] }]),
    'The shapes mean 20000 elements or rows, more than a body of 74 bytes can hold.',
  ],
  [
    'an input in shared memory',
    wrong([{ ...x, parameters: { shared_memory_region: 'r', shared_memory_byte_size: 8 } }]),
    'Shared memory is not served; send and take the elements of input "x" with the message.',
  ],
  [
    'an output in shared memory',
    wrong(good, { outputs: [{ name: 'y', parameters: { shared_memory_region: 'r' } }] }),
    'Shared memory is not served; send and take the elements of output "y" with the message.',
  ],
  [
    'a sequence',
    wrong(good, { parameters: { sequence_id: 7, sequence_start: true } }),
    'Sequences are not kept here; send each request with all it needs, and without "sequence_id".',
  ],
  ['no data', wrong([x]), 'Input "x": send either "data" or the parameter "binary_data_size".'],
  ['data of text', wrong([{ ...x, data: 'abc' }]), 'Input "x": data must be a list of elements, not "abc".'],
  ['too little data', wrong([{ ...x, data: [1] }]), 'Input "x": shape [1,2] needs 2 elements, data has 1.'],
  ['too much data', wrong([{ ...x, data: [1, 2, 3] }]), 'Input "x": shape [1,2] needs 2 elements, data has 3.'],
  ['no element', wrong([{ ...x, data: [] }]), 'Input "x": shape [1,2] needs 2 elements, data has 0.'],
  [
    'ragged lists',
    wrong([{ ...x, shape: [2, 2], data: [[1, 2], [3]] }]),
    'Input "x": nested data is not shaped [2,2].',
  ],
  [
    'lists too deep',
    wrong([{ ...x, data: [[[1], [2]]] }]),
    'Input "x": element 0 is a list, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'a text',
    wrong([{ ...x, data: [1, 'two'] }]),
    'Input "x": element 1 is "two", FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'a null',
    wrong([{ ...x, data: [1, null] }]),
    'Input "x": element 1 is null, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'a truth',
    wrong([{ ...x, data: [true, 1] }]),
    'Input "x": element 0 is true, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'too large a number',
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1e39,1]}]}',
    'Input "x": element 0 is 1e+39, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'a bare NaN',
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[NaN,1]}]}',
    'The body is not valid JSON, which has no NaN and no Infinity; send "NaN", "Infinity" or "-Infinity" in quotes.',
  ],
  [
    'a bare infinity as Python writes it',
    '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.0, -Infinity]}]}',
    'The body is not valid JSON, which has no NaN and no Infinity; send "NaN", "Infinity" or "-Infinity" in quotes.',
  ],
  ['a fault beside a NaN in quotes', '{"inputs":["NaN",}', 'The body is not valid JSON.'],
  [
    'a leading zero',
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[01,1]}]}',
    'The body is not valid JSON.',
  ],
  ['parameters in a list', wrong(good, { parameters: [] }), 'The parameters of the request must be a JSON object.'],
  [
    'a parameter that is an object',
    wrong(good, { parameters: { a: {} } }),
    'Parameter "a" of the request must be a string, a number, true or false.',
  ],
  [
    'a parameter that is null',
    wrong([{ ...good[0], parameters: { a: null } }]),
    'Parameter "a" of input "x" must be a string, a number, true or false.',
  ],
  ['an unknown output', wrong(good, { outputs: [{ name: 'q' }] }), 'There is no output "q"; the model gives "y".'],
  ['an output twice', wrong(good, { outputs: [{ name: 'y' }, { name: 'y' }] }), '"y" stands twice in "outputs".'],
  ['outputs that are names', wrong(good, { outputs: ['y'] }), 'Every entry of "outputs" needs a name.'],
  [
    'a binary_data of text',
    wrong(good, { outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] }),
    'Parameter "binary_data" of output "y" must be true or false.',
  ],
  [
    'half a class',
    wrong(good, { outputs: [{ name: 'y', parameters: { classification: 0.5 } }] }),
    'Parameter "classification" of output "y" must be a whole number of classes.',
  ],
  [
    'binary data that is not there',
    wrong([{ ...x, parameters: { binary_data_size: 8 } }]),
    'The tensors need 8 bytes after the JSON object, 0 follow it.',
  ],
])('%s is refused and nothing stays leased', (_, body, sentence) => {
  const before = { ...affine.leases };
  expect(() => ask(affine, body)).toThrow(
    expect.objectContaining({ name: 'RequestError', status: 400, message: sentence }),
  );
  expect(affine.leases.given - before.given).toBe(affine.leases.released - before.released);
});

const eight = new Uint8Array(8);
const binary = (parameters: object, more: object = {}) => ({ inputs: [{ ...x, parameters, ...more }] });

test.each<[string, [Buffer, number], string]>([
  [
    'a size below zero',
    mixed(binary({ binary_data_size: -8 }), eight),
    'Input "x": binary_data_size must be a whole number of bytes, not -8.',
  ],
  [
    'a size of text',
    mixed(binary({ binary_data_size: '8' }), eight),
    'Input "x": binary_data_size must be a whole number of bytes, not "8".',
  ],
  [
    'a size that is not that of the shape',
    mixed(binary({ binary_data_size: 4 }), eight),
    'Input "x": 4 bytes given, shape [1,2] of FP32 needs 8.',
  ],
  [
    'data beside the bytes',
    mixed(binary({ binary_data_size: 8 }, { data: [1, 2] }), eight),
    'Input "x": send either "data" or the parameter "binary_data_size", not both.',
  ],
  [
    'bytes that end early',
    mixed(binary({ binary_data_size: 8 }), new Uint8Array(7)),
    'The tensors need 8 bytes after the JSON object, 7 follow it.',
  ],
  [
    'bytes left over',
    mixed(binary({ binary_data_size: 8 }), new Uint8Array(9)),
    'The tensors need 8 bytes after the JSON object, 9 follow it.',
  ],
  [
    'rows with bytes behind them',
    mixed({ rows: [{}] }, eight),
    'A request of rows is JSON alone; no bytes may follow it.',
  ],
  [
    'a header longer than the body',
    [Buffer.from('{}'), 3],
    'Inference-Header-Content-Length is 3, the body has 2 bytes.',
  ],
  ['a header below zero', [Buffer.from('{}'), -1], 'Inference-Header-Content-Length is -1, the body has 2 bytes.'],
  ['a header that ends in the JSON', [Buffer.from('{"inputs":[]}'), 5], 'The body is not valid JSON.'],
  [
    'a raw body of half a row',
    [Buffer.alloc(12), 0],
    '12 bytes are no whole number of rows of input "x", which take 8 each.',
  ],
  ['a raw body of nothing', [Buffer.alloc(0), 0], 'Input "x": shape [0,2] holds no row; send at least one.'],
])('%s is refused', (_, [body, headerLength], sentence) => {
  expect(() => ask(affine, body, headerLength)).toThrow(expect.objectContaining({ status: 400, message: sentence }));
});

test.each<[Parameters<typeof one>[0], string, string]>([
  ['INT8', '128', 'element 0 is 128, INT8 takes a whole number from -128 to 127.'],
  ['UINT8', '-1', 'element 0 is -1, UINT8 takes a whole number from 0 to 255.'],
  ['INT32', '1.5', 'element 0 is 1.5, INT32 takes a whole number from -2147483648 to 2147483647.'],
  [
    'INT64',
    '9223372036854775808',
    'element 0 is 9223372036854775808, INT64 takes a whole number from -9223372036854775808 to 9223372036854775807.',
  ],
  ['UINT64', '-1', 'element 0 is -1, UINT64 takes a whole number from 0 to 18446744073709551615.'],
  ['FP16', '65520', 'element 0 is 65520, FP16 takes a number up to 65504, or "NaN", "Infinity", "-Infinity".'],
  ['BF16', '3.4e38', 'element 0 is 3.4e+38, BF16 takes a number up to 3.38e38, or "NaN", "Infinity", "-Infinity".'],
  ['BOOL', '2', 'element 0 is 2, BOOL takes true or false.'],
  ['BYTES', '5', 'element 0 is 5, BYTES takes a string of whole characters.'],
  ['BYTES', '"\\ud800"', 'element 0 is "\\ud800", BYTES takes a string of whole characters.'],
])('%s does not take %s', (datatype, value, sentence) => {
  const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${value}]}]}`;
  expect(() => ask(one(datatype), body)).toThrow(`Input "x": ${sentence}`);
});

test('no shape makes rows without bytes: nothing walks, counts or answers 2^53 of them', () => {
  const empty = protocolModel({ inputs: [tensor('x', 'FP32', [-1, -1])], outputs: [tensor('y', 'FP32', [-1, -1])] });
  const rows = (count: number) => wrong([{ ...x, shape: [count, 0], data: [] }]);
  ask(empty, rows(50)).lease.release();
  expect(() => ask(empty, rows(100))).toThrow('The shapes mean 100 elements or rows, more than a body of');
  expect(() => ask(empty, rows(2 ** 53 - 1))).toThrow(
    'Input "x": shape [9007199254740991,0] means 9007199254740991 rows',
  );
});
