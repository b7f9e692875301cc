import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Datatype, Elements, TensorValue } from '../../tensor.ts';
import { rows } from '../testing/candidate.ts';
import { disagreements, misfit, type Rules } from './judge.ts';

const RULES: Rules = { compare: undefined, tolerance: 1e-3, k: 2, classes: undefined };
const tensor = (datatype: Datatype, shape: readonly number[], elements: Elements): TensorValue => ({
  name: 'y',
  datatype,
  shape,
  elements,
});
const halves = (...values: number[]) => new Uint16Array(Float16Array.from(values).buffer);
const brains = (...values: number[]) =>
  Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);

test.each<[string, TensorValue, TensorValue, Partial<Rules>, boolean]>([
  ['shares of classes agree by the largest', rows('y', [[0.6, 0.4]]), rows('y', [[0.9, 0.1]]), {}, true],
  ['shares of classes disagree by the largest', rows('y', [[0.6, 0.4]]), rows('y', [[0.4, 0.6]]), {}, false],
  ['logits by name agree by the largest', rows('logits', [[6, 4]]), rows('logits', [[9, -1]]), {}, true],
  ['as many scores as labels agree by the largest', rows('y', [[6, 4]]), rows('y', [[9, -1]]), { classes: 2 }, true],
  ['two numbers that are no classes must be near', rows('y', [[6, 4]]), rows('y', [[9, -1]]), {}, false],
  ['argmax where it is ordered', rows('y', [[6, 4]]), rows('y', [[9, -1]]), { compare: 'argmax' }, true],
  ['one number has no best: it must be near', rows('y', [[0.9]]), rows('y', [[0.1]]), { compare: 'argmax' }, false],
  ['tolerance is relative to the live answer', rows('y', [[1000]]), rows('y', [[1000.9]]), {}, true],
  ['tolerance ends', rows('y', [[1000]]), rows('y', [[1001.1]]), {}, false],
  ['tolerance where it is ordered', rows('y', [[0.6, 0.4]]), rows('y', [[0.9, 0.1]]), { compare: 'tolerance' }, false],
  ['the live best is second of two', rows('y', [[9, 5, 1]]), rows('y', [[5, 9, 1]]), { compare: 'topK' }, true],
  ['the live best is third', rows('y', [[9, 5, 1]]), rows('y', [[1, 9, 5]]), { compare: 'topK' }, false],
  ['not a number on both sides', rows('y', [[Number.NaN]]), rows('y', [[Number.NaN]]), {}, true],
  ['not a number on one side', rows('y', [[1]]), rows('y', [[Number.NaN]]), {}, false],
  ['not a number among classes', rows('score', [[1, 2]]), rows('score', [[Number.NaN, 2]]), {}, false],
  ['not a number on one side, by top k', rows('y', [[1, 2]]), rows('y', [[Number.NaN, 2]]), { compare: 'topK' }, false],
  ['infinity is itself', rows('y', [[Infinity]]), rows('y', [[Infinity]]), {}, true],
  ['infinity is nothing else', rows('y', [[Infinity]]), rows('y', [[-Infinity]]), {}, false],
  ['zero has no sign', rows('y', [[0]]), rows('y', [[-0]]), {}, true],
  ['equal texts', tensor('BYTES', [1, 1], ['cat']), tensor('BYTES', [1, 1], ['cat']), {}, true],
  ['other texts', tensor('BYTES', [1, 1], ['cat']), tensor('BYTES', [1, 1], ['Cat']), {}, false],
  [
    'integers must be equal',
    tensor('INT64', [1], BigInt64Array.of(7n)),
    tensor('INT64', [1], BigInt64Array.of(8n)),
    { tolerance: 9 },
    false,
  ],
  [
    'half floats are numbers',
    tensor('FP16', [1, 1], halves(1)),
    tensor('FP16', [1, 1], halves(1.001)),
    { tolerance: 1e-2 },
    true,
  ],
  [
    'half floats that differ',
    tensor('FP16', [1, 1], halves(1)),
    tensor('FP16', [1, 1], halves(1.5)),
    { tolerance: 1e-2 },
    false,
  ],
  [
    'brain floats are numbers',
    tensor('BF16', [1, 1], brains(-2)),
    tensor('BF16', [1, 1], brains(-2.015625)),
    { tolerance: 1e-2 },
    true,
  ],
])('%s', (_, live, candidate, rules, agrees) => {
  const found = disagreements([live], [candidate], 1, { ...RULES, ...rules });
  expect(found).toEqual([agrees ? undefined : live.name]);
});

test('each row is judged alone, and the first output that differs is named', () => {
  const label = (...values: number[]) => ({ ...tensor('INT32', [3, 1], Int32Array.from(values)), name: 'label' });
  const live = [label(1, 2, 3), rows('y', [[1], [2], [3]])];
  const candidate = [rows('y', [[1], [5], [6]]), label(1, 2, 4)];
  expect(disagreements(live, candidate, 3, RULES)).toEqual([undefined, 'y', 'label']);
});

test('a request that is no batch is one unit, whatever its shape', () => {
  expect(disagreements([rows('y', [[1], [2]])], [rows('y', [[1], [9]])], 1, RULES)).toEqual(['y']);
});

test('every pixel of a map must have the same best class', () => {
  const map = (...values: number[]) => tensor('FP32', [1, 2, 2], Float32Array.from(values));
  const rules = { ...RULES, compare: 'argmax' as const };
  expect(disagreements([map(1, 2, 3, 4)], [map(0, 9, 0, 9)], 1, rules)).toEqual([undefined]);
  expect(disagreements([map(1, 2, 3, 4)], [map(0, 9, 9, 0)], 1, rules)).toEqual(['y']);
});

test.each<[string, TensorValue[], RegExp]>([
  ['an output is missing', [], /no output y/],
  ['another datatype', [tensor('FP64', [1, 1], new Float64Array(1))], /is FP64, not FP32/],
  ['another shape', [rows('y', [[1, 2]])], /shape \[1,2\], not \[1,1\]/],
])('%s: the answers have not the same form', (_, candidate, sentence) => {
  expect(misfit([rows('y', [[1]])], candidate)).toMatch(sentence);
  expect(misfit([rows('y', [[1]])], [rows('more', [[1]]), rows('y', [[1]])])).toBeUndefined();
});

test('every model agrees with itself, by every comparison', () => {
  const numbers = fc.array(fc.float(), { minLength: 6, maxLength: 6 });
  const compare = fc.constantFrom('argmax', 'tolerance', 'topK', undefined);
  fc.assert(
    fc.property(numbers, compare, fc.integer({ min: 1, max: 9 }), (values, how, k) => {
      const answer = tensor('FP32', [2, 3], Float32Array.from(values));
      expect(disagreements([answer], [answer], 2, { ...RULES, compare: how, k })).toEqual([undefined, undefined]);
    }),
  );
});
