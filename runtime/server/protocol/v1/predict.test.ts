import type { Signature } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { outcomeOf, type ProtocolModel, protocolModel, tensor, tensorOf } from '../../../test/protocolModel.ts';
import type { TensorValue } from '../../tensor.ts';
import type { Pending } from '../infer.ts';
import { predict, v1Models, v1Status } from './predict.ts';

const single: Signature = { inputs: [tensor('x', 'FP32', [-1, 2])], outputs: [tensor('y', 'FP32', [-1, 1])] };
const several: Signature = {
  inputs: [tensor('a', 'FP32', [-1, 1]), tensor('t', 'BYTES', [-1])],
  outputs: [tensor('y', 'FP32', [-1, 2]), tensor('z', 'INT64', [-1])],
};

function ask(model: ProtocolModel, body: unknown): Pending {
  return predict(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), undefined, model, { now: 0 });
}

test.each([['instances'], ['inputs']])('%s are rows of the only input', (field) => {
  const { lease } = ask(protocolModel(single), {
    [field]: [
      [1, 2],
      [3, 4],
    ],
  });
  lease.release();
  expect(lease.inputs).toMatchObject([{ shape: [2, 2], elements: Float32Array.of(1, 2, 3, 4) }]);
});

test('instances that are objects name the inputs', () => {
  const { lease } = ask(protocolModel(several), {
    instances: [
      { a: [1], t: 'p' },
      { t: 'q', a: [2] },
    ],
  });
  lease.release();
  expect(lease.inputs).toMatchObject([
    { shape: [2, 1], elements: Float32Array.of(1, 2) },
    { shape: [2], elements: ['p', 'q'] },
  ]);
});

describe('a text spelled in base64, as V1 has it for what is no JSON', () => {
  const texts: Signature = { inputs: [tensor('t', 'BYTES', [-1])], outputs: [tensor('y', 'FP32', [-1])] };
  const named64: Signature = { inputs: [tensor('b64', 'BYTES', [-1])], outputs: [tensor('y', 'FP32', [-1])] };
  const spelled = (text: string) => ({ b64: Buffer.from(text).toString('base64') });

  test.each<[string, Signature, unknown, string[]]>([
    ['as a row', texts, { instances: [spelled('owl 🦉'), 'as it is', spelled('')] }, ['owl 🦉', 'as it is', '']],
    ['with a NUL in it', texts, { instances: [spelled('a\0b')] }, ['a\0b']],
    ['of the alphabet for URLs, without padding', texts, { instances: [{ b64: 'w7_Dvg' }] }, ['ÿþ']],
    ['in a row by name', texts, { instances: [{ t: spelled('owl') }] }, ['owl']],
    ['in a tensor by name', texts, { inputs: { t: [spelled('owl'), 'cat'] } }, ['owl', 'cat']],
    ['as a row of inputs', texts, { inputs: [spelled('owl')] }, ['owl']],
    ['for an input of that very name', named64, { instances: [{ b64: 'owl' }] }, ['owl']],
  ])('%s is that text', (_, signature, body, elements) => {
    const { lease } = ask(protocolModel(signature), body);
    lease.release();
    expect(lease.inputs).toMatchObject([{ shape: [elements.length], elements }]);
  });

  test.each<[string, Signature, unknown, string]>([
    ['that is none', texts, { instances: [{ b64: 'a b' }] }, 'Input "t": {"b64": …} holds something else than base64.'],
    ['cut short', texts, { instances: [{ b64: 'w7-Dv' }] }, 'Input "t": {"b64": …} holds something else than base64.'],
    [
      'of a picture',
      texts,
      { instances: [{ b64: '/9j/4AAQSkZJRg==' }] },
      'Input "t": what {"b64": …} holds is not UTF-8, BYTES takes text; send other bytes to an input of UINT8.',
    ],
    [
      'with a key beside it',
      texts,
      { instances: [{ b64: 'b3ds', language: 'en' }] },
      'Row 0: there is no input "b64"; the model takes "t".',
    ],
    ['alone', texts, { inputs: spelled('owl') }, '"inputs" must be a list of at least one row.'],
    [
      'for numbers',
      single,
      { instances: [[{ b64: 'AAAA' }, 1]] },
      'Input "x": element 0 is an object, FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
    ],
  ])('%s is refused and nothing stays leased', (_, signature, body, sentence) => {
    const model = protocolModel(signature);
    expect(() => ask(model, body)).toThrow(expect.objectContaining({ status: 400, message: sentence }));
    expect(model.leases.given).toBe(model.leases.released);
  });
});

test('inputs may be whole tensors by name, and a bare value stands for a list of one', () => {
  const { lease } = ask(protocolModel(several), { inputs: { t: ['p', 'q'], a: [1, 2] } });
  lease.release();
  expect(lease.inputs).toMatchObject([{ shape: [2, 1] }, { elements: ['p', 'q'] }]);
});

const bodyOf = (pending: Pending, ...outputs: readonly TensorValue[]): unknown => {
  pending.lease.release();
  return pending.answer(outcomeOf(...outputs)).body;
};

test('predictions are rows of the only output', () => {
  const pending = ask(protocolModel(single), {
    instances: [
      [1, 2],
      [3, 4],
    ],
  });
  expect(bodyOf(pending, tensorOf('y', 'FP32', [2, 1], [0.1, -2]))).toBe('{"predictions":[[0.1],[-2]]}');
});

test('of several outputs each prediction is an object', () => {
  const pending = ask(protocolModel(several), { instances: [{ a: 1, t: 'p' }] });
  const outputs = [tensorOf('y', 'FP32', [1, 2], [1, 2]), tensorOf('z', 'INT64', [1], [9007199254740993n])] as const;
  expect(bodyOf(pending, ...outputs)).toBe('{"predictions":[{"y":[1,2],"z":9007199254740993}]}');
});

test('values that are not finite follow the settings and are counted', () => {
  const model = protocolModel(single, { settings: { nonFinite: 'String' } });
  const pending = ask(model, { instances: [[1, 2]] });
  expect(bodyOf(pending, tensorOf('y', 'FP32', [1, 1], [Number.NEGATIVE_INFINITY]))).toBe(
    '{"predictions":[["-Infinity"]]}',
  );
  expect(model.nonFinite.count).toBe(1);
});

test.each<[string, Signature, unknown, string]>([
  ['no JSON', single, '{', 'The body is not valid JSON.'],
  ['a list', single, [], 'The body must be a JSON object with "instances".'],
  ['nothing', single, {}, 'Send either "instances", a list of rows, or "inputs".'],
  ['both', single, { instances: [], inputs: [] }, 'Send either "instances", a list of rows, or "inputs".'],
  ['no row', single, { instances: [] }, '"instances" must be a list of at least one row.'],
  ['a text', single, { inputs: 'x' }, '"inputs" must be a list of at least one row.'],
  [
    'rows too short',
    single,
    { instances: [[1]] },
    'Input "x": shape [1,1] does not fit [-1,2] of the model (-1 is any size).',
  ],
  ['ragged rows', single, { instances: [[1, 2], [3]] }, 'Input "x": nested data is not shaped [2,2].'],
  [
    'a word',
    single,
    { instances: [[1, 'b']] },
    'Input "x": element 1 is "b", FP32 takes a number up to 3.4e38, or "NaN", "Infinity", "-Infinity".',
  ],
  [
    'lists for many inputs',
    several,
    { instances: [[1]] },
    'The model takes "a" and "t"; send each row as an object of them.',
  ],
  [
    'an unknown input',
    several,
    { instances: [{ a: 1, t: 'p', c: 2 }] },
    'Row 0: there is no input "c"; the model takes "a" and "t".',
  ],
  ['a missing input', several, { instances: [{ a: 1, t: 'p' }, { a: 1 }] }, 'Row 1: input "t" is missing.'],
  ['an odd row', several, { instances: [{ a: 1, t: 'p' }, 5] }, 'Row 1 is 5, other rows are objects.'],
  ['an unknown tensor', several, { inputs: { q: [1] } }, 'There is no input "q"; the model takes "a" and "t".'],
  ['a missing tensor', several, { inputs: { a: [1] } }, 'Input "t" is missing; the model takes "a" and "t".'],
  [
    'unequal tensors',
    several,
    { inputs: { a: [1, 2], t: ['p'] } },
    'Input "a" has 2 rows and "t" has 1; send equally many.',
  ],
  ['a tensor that is no list', several, { inputs: { a: 1, t: ['p'] } }, 'Input "a": send a list of rows, not 1.'],
])('%s is refused and nothing stays leased', (_, signature, body, sentence) => {
  const model = protocolModel(signature);
  expect(() => ask(model, body)).toThrow(expect.objectContaining({ status: 400, message: sentence }));
  expect(model.leases.given).toBe(model.leases.released);
});

test('binary tensors belong to V2', () => {
  expect(() => predict(Buffer.from('{}'), 2, protocolModel(single), { now: 0 })).toThrow('V1 takes JSON alone');
});

test('the lists of V1 have the names that its clients look for', () => {
  expect([v1Models(['a']), v1Status('a', false)]).toEqual([{ models: ['a'] }, { name: 'a', ready: false }]);
});
