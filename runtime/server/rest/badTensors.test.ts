import { describe } from 'vitest';
import { type BadRequest, GOOD, INFER, N, refuseEach, X } from './testing/refusals.ts';
import { post } from './testing/socket.ts';

type Row = readonly [what: string, body: unknown, error: string | RegExp];

const refused = ([what, body, error]: Row): BadRequest => ({
  what,
  send: post(INFER, body),
  status: 400,
  error,
  counted: 'clientError',
});

const x = (changes: object) => ({ inputs: [{ ...X, ...changes }, N] });
const n = (changes: object) => ({ inputs: [X, { ...N, ...changes }] });
const text = (data: string) => JSON.stringify(x({ data: '@' })).replace('"@"', data);

describe('JSON that is none', () => {
  refuseEach(
    (
      [
        ['an empty body', '', /empty/],
        ['white space', '  \n', /JSON/],
        ['a word', 'hello', /JSON/],
        ['an object cut short', JSON.stringify(GOOD).slice(0, -5), /JSON/],
        ['text behind the object', `${JSON.stringify(GOOD)}x`, /JSON/],
        ['two objects', JSON.stringify(GOOD).repeat(2), /JSON/],
        ['a trailing comma', '{"inputs":[],}', /JSON/],
        ['single quotes', "{'inputs':[]}", /JSON/],
        ['a comment', `{/* hi */"inputs":[]}`, /JSON/],
        ['UTF-16', Buffer.from(`\ufeff${JSON.stringify(GOOD)}`, 'utf16le'), /UTF-8/],
        ['a NUL behind it', `${JSON.stringify(GOOD)}\0`, /JSON/],
        ['a nest of 100,000 brackets', '['.repeat(100_000), /JSON/],
        ['a closed nest of 100,000 brackets', `{"inputs":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, /\S/],
        ['NaN as a bare word', text('[NaN,1]'), /JSON|number/],
        ['Infinity as a bare word', text('[1,-Infinity]'), /JSON|number/],
        ['a number with a leading zero', text('[01,1]'), /JSON|number/],
        ['a hexadecimal number', text('[0x1,1]'), /JSON|number/],
        ['half a number', text('[1.,1]'), /JSON|number/],
        ['a list with a hole', text('[1,,2]'), /JSON|number/],
      ] satisfies Row[]
    ).map(refused),
  );
});

describe('JSON of another form', () => {
  refuseEach(
    (
      [
        ['null', 'null', /"inputs"/],
        ['a list', '[]', /"inputs"/],
        ['a number', '1', /"inputs"/],
        ['no inputs', {}, /"inputs"/],
        ['inputs that are an object', { inputs: {} }, /"inputs"/],
        ['inputs that are numbers', { inputs: [1, 2] }, /"inputs"|name/],
        ['an input of null', { inputs: [null] }, /"inputs"|name/],
        ['no input', { inputs: [] }, /missing/],
        ['an input without a name', x({ name: undefined }), /name/],
        ['a name that is a number', x({ name: 7 }), /name/],
        ['an input without a datatype', x({ datatype: undefined }), /datatype/],
        ['an input without a shape', x({ shape: undefined }), /shape/],
        ['an input without data', x({ data: undefined }), /data/],
        ['data that is an object', x({ data: {} }), /data/],
        ['an id that is an object', { ...GOOD, id: {} }, /id/],
        ['parameters that are a list', { ...GOOD, parameters: [] }, /parameters/],
        ['outputs that are an object', { ...GOOD, outputs: {} }, /outputs/],
        ['an output without a name', { ...GOOD, outputs: [{}] }, /name/],
        ['inputs twice, of which the last counts', JSON.stringify(GOOD).replace(/}$/, ',"inputs":[]}'), /missing/],
        ['__proto__ for inputs', '{"__proto__":{"inputs":[]}}', /"inputs"/],
      ] satisfies Row[]
    ).map(refused),
  );
});

describe('tensors that do not fit the model', () => {
  refuseEach(
    (
      [
        ['an unknown input', x({ name: 'z' }), /no input "z"; .*"x"/],
        ['an input twice', { inputs: [X, X] }, /twice/],
        ['an input that is missing', { inputs: [X] }, /"n" is missing/],
        ['an input too many', { inputs: [X, N, { ...N, name: 'more' }] }, /no input "more"/],
        ['a rank too low', x({ shape: [2] }), /shape \[2\]/],
        ['a rank too high', x({ shape: [1, 2, 1] }), /shape/],
        ['a dimension too large', x({ shape: [1, 3], data: [1, 2, 3] }), /shape/],
        [
          'no row',
          {
            inputs: [
              { ...X, shape: [0, 2], data: [] },
              { ...N, shape: [0, 1], data: [] },
            ],
          },
          /row/,
        ],
        ['unequal rows', n({ shape: [2, 1], data: [1, 2] }), /rows/],
        ['a negative dimension', x({ shape: [-1, 2] }), /shape/],
        ['half a dimension', x({ shape: [1.5, 2] }), /shape/],
        ['a dimension as text', x({ shape: ['1', '2'] }), /shape/],
        ['a shape beyond all numbers', text('[1,2]').replace('[1,2]', '[1e400,2]'), /\S/],
        ['a shape that orders memory', x({ shape: [1e15, 2] }), /\S/],
        ['a shape that orders a gigabyte', x({ shape: [134_217_728, 2] }), /\S/],
        ['too few elements', x({ data: [1] }), /1 .*2|2 .*1/],
        ['too many elements', x({ data: [1, 2, 3] }), /\S/],
        ['ragged rows', x({ data: [[1, 2], [3]] }), /\S/],
        ['rows nested too deep', x({ data: [[[1, 2]]] }), /\S/],
        ['another datatype', x({ datatype: 'INT64' }), /INT64.*FP32/],
        ['an unknown datatype', x({ datatype: 'FLOAT' }), /FLOAT.*FP32/],
        ['a datatype in lower case', x({ datatype: 'fp32' }), /fp32.*FP32/],
        ['text for a number', x({ data: ['1', 2] }), /\S/],
        ['null for a number', x({ data: [null, 2] }), /\S/],
        ['true for a number', x({ data: [true, 2] }), /\S/],
        ['a number too large for FP32', text('[1e39,1]'), /FP32/],
        ['a number too large for all', text('[1e999,1]'), /\S/],
        ['an integer out of range', n({ data: [128] }), /INT8/],
        ['a fraction for an integer', n({ data: [1.5] }), /INT8/],
        ['a huge integer', n({ data: [1e30] }), /INT8/],
        ['an unknown output', { ...GOOD, outputs: [{ name: 'y' }] }, /no output "y"; .*"x_out"/],
        ['an output twice', { ...GOOD, outputs: [{ name: 'x_out' }, { name: 'x_out' }] }, /twice/],
        ['a timeout that is no number', { ...GOOD, parameters: { timeout: 'soon' } }, /"timeout"/],
        ['a timeout below zero', { ...GOOD, parameters: { timeout: -1 } }, /"timeout"/],
        ['a priority that is no number', { ...GOOD, parameters: { priority: 1.5 } }, /"priority"/],
      ] satisfies Row[]
    ).map(refused),
  );
});

describe('headers that say how to answer', () => {
  const row = (what: string, headers: Readonly<Record<string, string>>, error: RegExp): BadRequest => ({
    what,
    send: post(INFER, GOOD, headers),
    status: 400,
    error,
    counted: 'clientError',
  });
  refuseEach([
    row('a timeout of zero', { 'slipway-timeout-ms': '0' }, /slipway-timeout-ms/),
    row('a timeout in words', { 'slipway-timeout-ms': 'soon' }, /slipway-timeout-ms/),
    row('a priority in words', { 'slipway-priority': 'high' }, /slipway-priority/),
  ]);
});
