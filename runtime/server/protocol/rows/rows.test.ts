import type { Baseline, Tensor } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { ask, textOf } from '../../../test/inferRequests.ts';
import {
  outcomeOf,
  type ProtocolModel,
  type ProtocolModelOptions,
  protocolModel,
  tensor,
  tensorOf,
} from '../../../test/protocolModel.ts';
import type { TensorValue } from '../../tensor.ts';

const flights = [tensor('x', 'FP32', [-1, 2], ['distance', 'delay']), tensor('carrier', 'BYTES', [-1, 1])];
const modelOf = (outputs: readonly Tensor[], options: ProtocolModelOptions = {}, inputs = flights): ProtocolModel =>
  protocolModel({ inputs: [...inputs], outputs: [...outputs] }, options);
const wide = modelOf([tensor('p', 'FP32', [-1, 3])], { labels: ['early', 'on time', 'late'] });
const rows = [
  { distance: 500, delay: -1.5, carrier: 'AA' },
  { carrier: 'UA', delay: 2, distance: 1000 },
];

test('features find their columns by name, in any order', () => {
  const { lease } = ask(wide, { rows });
  lease.release();
  expect(lease.inputs).toMatchObject([
    { name: 'x', shape: [2, 2], elements: Float32Array.of(500, -1.5, 1000, 2) },
    { name: 'carrier', shape: [2, 1], elements: ['AA', 'UA'] },
  ]);
});

test('the training baseline names columns that the signature does not', () => {
  const features = ['a', 'b'].map((name, index) => ({ name, tensor: 'x', index }));
  const model = modelOf([tensor('y', 'FP32', [-1])], { baseline: { features } as unknown as Baseline }, [
    tensor('x', 'FP64', [-1, 2]),
  ]);
  const { lease } = ask(model, { rows: [{ b: 2, a: 1 }] });
  lease.release();
  expect(lease.inputs[0]?.elements).toEqual(Float64Array.of(1, 2));
});

/** The rows of the answer to as many rows as the outputs have. */
function report(model: ProtocolModel, outputs: readonly TensorValue[], more: object = {}): unknown {
  const count = outputs[0]?.shape[0] ?? 0;
  const pending = ask(model, { rows: Array.from({ length: count }, () => rows[0]), ...more });
  pending.lease.release();
  return JSON.parse(textOf(pending.answer(outcomeOf(...outputs)))).rows;
}

const probabilities = [tensorOf('p', 'FP32', [2, 3], [0.1, 0.2, 0.7, 0.5, 0.3, 0.2])];

test('a classifier answers the name of the likeliest class with its probability, nothing raw', () => {
  expect(report(wide, probabilities)).toEqual([
    { label: 'late', probability: 0.7 },
    { label: 'early', probability: 0.5 },
  ]);
});

test('all probabilities come if asked for, by class', () => {
  expect(report(wide, [tensorOf('p', 'FP32', [1, 3], [0.1, 0.2, 0.7])], { probabilities: true })).toEqual([
    { label: 'late', probability: 0.7, probabilities: { early: 0.1, 'on time': 0.2, late: 0.7 } },
  ]);
});

test('raw outputs come if asked for', () => {
  expect(report(wide, [tensorOf('p', 'FP32', [1, 3], [0.1, 0.2, 0.7])], { raw: true })).toEqual([
    { label: 'late', probability: 0.7, raw: { p: [0.1, 0.2, 0.7] } },
  ]);
});

test('without names a class is its number', () => {
  expect(report(modelOf([tensor('p', 'FP32', [-1, 3])]), probabilities)).toMatchObject([{ label: 2 }, { label: 0 }]);
});

test('one probability and two names are a classifier of two classes', () => {
  const model = modelOf([tensor('p', 'FP32', [-1, 1])], { labels: ['no', 'yes'] });
  expect(report(model, [tensorOf('p', 'FP32', [2, 1], [0.875, 0.25])], { probabilities: true })).toEqual([
    { label: 'yes', probability: 0.875, probabilities: { no: 0.125, yes: 0.875 } },
    { label: 'no', probability: 0.75, probabilities: { no: 0.75, yes: 0.25 } },
  ]);
});

test("the model's own decision wins over the largest probability", () => {
  const outputs = [tensor('label', 'INT64', [-1]), tensor('p', 'FP32', [-1, 2])];
  const model = modelOf(outputs, { labels: ['no', 'yes'] });
  expect(report(model, [tensorOf('label', 'INT64', [1], [1n]), tensorOf('p', 'FP32', [1, 2], [0.6, 0.4])])).toEqual([
    { label: 'yes', probability: 0.4 },
  ]);
});

test('logits choose a class and stay unsaid unless asked for', () => {
  const logits = [tensorOf('p', 'FP32', [1, 3], [-2, 5, 1])];
  expect(report(wide, logits)).toEqual([{ label: 'on time' }]);
  expect(report(wide, logits, { raw: true })).toEqual([{ label: 'on time', raw: { p: [-2, 5, 1] } }]);
  expect(() => report(wide, logits, { probabilities: true })).toThrow(
    expect.objectContaining({
      status: 422,
      message: 'Model "m" answers no probabilities; leave "probabilities" out, or ask for "raw".',
    }),
  );
});

test('a regression answers its value under the name of the output', () => {
  const model = modelOf([tensor('price', 'FP32', [-1, 1]), tensor('n', 'INT64', [-1]), tensor('v', 'FP32', [-1, 2])]);
  const outputs = [
    tensorOf('price', 'FP32', [1, 1], [12.3]),
    tensorOf('n', 'INT64', [1], [9007199254740993n]),
    tensorOf('v', 'FP32', [1, 2], [3, 4.5]),
  ];
  const pending = ask(model, { id: 'q', rows: [rows[0]] });
  pending.lease.release();
  expect(textOf(pending.answer(outcomeOf(...outputs)))).toBe(
    '{"model_name":"m","model_version":"1","id":"q","rows":[{"price":12.3,"n":9007199254740993,"v":[3,4.5]}]}',
  );
});

test('values that are not finite follow the settings of the model and are counted', () => {
  const model = modelOf([tensor('price', 'FP32', [-1])], { settings: { nonFinite: 'Null' } });
  expect(report(model, [tensorOf('price', 'FP32', [1], [Number.NaN])])).toEqual([{ price: null }]);
  expect(model.nonFinite.count).toBe(1);
});

const [row] = rows;

test.each<[string, object, number, string]>([
  ['no row', { rows: [] }, 400, '"rows" must be a list of at least one object.'],
  ['rows that are no list', { rows: { a: 1 } }, 400, '"rows" must be a list of at least one object.'],
  [
    'an unknown field',
    { rows, probabilites: true },
    400,
    'A request of rows has no field "probabilites"; it has "rows", "probabilities", "raw", "id" and "parameters".',
  ],
  ['a switch that is none', { rows, raw: 'yes' }, 400, '"raw" must be true or false.'],
  ['a number for id', { rows, id: 1 }, 400, 'id must be a string.'],
  ['a list for a row', { rows: [row, [1, 2]] }, 422, 'Row 1 is a list, it must be an object of features.'],
  ['a missing feature', { rows: [row, { distance: 1, carrier: 'AA' }] }, 422, 'Row 1: feature "delay" is missing.'],
  [
    'a misspelt feature',
    { rows: [{ distanse: 1, delay: 2, carrier: 'AA' }] },
    422,
    'Row 0: the model has no feature "distanse"; "distance" may be meant.',
  ],
  ['a strange feature', { rows: [{ ...row, colour: 'red' }] }, 422, 'Row 0: the model has no feature "colour".'],
  [
    'a text for a number',
    { rows: [row, { ...row, distance: 'far' }] },
    422,
    'Row 1: feature "distance" is "far", FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'a number for a text',
    { rows: [{ ...row, carrier: 7 }] },
    422,
    'Row 0: feature "carrier" is 7, BYTES takes a string of whole characters.',
  ],
  [
    'null',
    { rows: [{ ...row, delay: null }] },
    422,
    'Row 0: feature "delay" is null, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
])('%s is refused and nothing stays leased', (_, body, status, message) => {
  expect(() => ask(wide, body)).toThrow(expect.objectContaining({ name: 'RequestError', status, message }));
  expect(wide.leases.given).toBe(wide.leases.released);
});

test.each<[string, readonly Tensor[], string]>([
  [
    'no names',
    [tensor('x', 'FP32', [-1, 2])],
    'The columns of input "x" have no names; send tensors, or name them in signature.json ("columns").',
  ],
  [
    'one name twice',
    [tensor('x', 'FP32', [-1, 1]), tensor('z', 'FP32', [-1, 2], ['x', 'y'])],
    'Two columns of the model are called "x"; send tensors instead of rows.',
  ],
])('a model whose columns have %s can not be asked by rows', (_, inputs, sentence) => {
  const model = protocolModel({ inputs: [...inputs], outputs: [] });
  expect(() => ask(model, { rows: [{ x: 1 }] })).toThrow(expect.objectContaining({ status: 400, message: sentence }));
});
