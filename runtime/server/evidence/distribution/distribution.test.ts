import type { Summarised, Tensor } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Datatype, type NumericDatatype, roomFor, type TensorValue } from '../../tensor.ts';
import { Distribution, distributionWords } from './distribution.ts';
import { asHeld } from './numbers.ts';

type Numeric = Extract<Summarised, { kind: 'numeric' }>;
type Categorical = Extract<Summarised, { kind: 'categorical' }>;

const numeric = (edges: readonly number[], more: Partial<Numeric> = {}): Numeric => ({
  name: 'f',
  tensor: 'x',
  index: 0,
  kind: 'numeric',
  count: 2,
  min: -Number.MAX_VALUE,
  max: Number.MAX_VALUE,
  mean: 0,
  m2: 1,
  bins: { edges: [...edges], counts: new Array<number>(edges.length + 1).fill(0) },
  ...more,
});
const categorical = (values: readonly (number | string | boolean)[], other: number): Categorical => ({
  name: 'f',
  tensor: 'x',
  index: 0,
  kind: 'categorical',
  count: 10,
  categories: values.map((value) => ({ value, count: 1 })),
  other,
});

function tensor(
  datatype: Datatype,
  shape: readonly number[],
  values: readonly (number | string | bigint)[],
): TensorValue {
  const elements = roomFor(datatype, values.length);
  values.forEach((value, i) => {
    (elements as (typeof value)[])[i] = value;
  });
  return { name: 'x', datatype, shape, elements };
}

const distribution = (summaries: readonly Summarised[], declared: Omit<Tensor, 'name'>) =>
  new Distribution(
    summaries,
    [{ name: 'x', ...declared }],
    new Float64Array(distributionWords(summaries)),
    () => undefined,
  );

/** What one feature counts of one run of one column. */
function counted(summary: Summarised, datatype: Datatype, values: readonly (number | string | bigint)[]) {
  const watched = distribution([summary], { datatype, shape: [-1] });
  watched.count([tensor(datatype, [values.length], values)], values.length, 0, 1, values.length);
  return watched.counts()[0];
}

const naiveBin = (edges: readonly number[], value: number): number => {
  const bin = edges.findIndex((edge) => value <= edge);
  return bin < 0 ? edges.length : bin;
};

describe('the bins of numbers', () => {
  const anyEdges = (value: fc.Arbitrary<number>) =>
    fc.uniqueArray(value, { maxLength: 40 }).map((edges) => edges.map((edge) => edge + 0).sort((a, b) => a - b));
  const kinds: [NumericDatatype, fc.Arbitrary<number>][] = [
    ['FP32', fc.float({ noNaN: true, noDefaultInfinity: true })],
    ['FP64', fc.double({ noNaN: true, noDefaultInfinity: true })],
    ['INT32', fc.integer()],
    ['UINT8', fc.integer({ min: 0, max: 255 })],
  ];

  test.each(kinds)('are those of a search through all edges, at the edges too: %s', (datatype, value) => {
    const cases = anyEdges(value).chain((edges) =>
      fc.tuple(
        fc.constant(edges),
        fc.array(edges.length > 0 ? fc.oneof(value, fc.constantFrom(...edges)) : value, { maxLength: 200 }),
      ),
    );
    fc.assert(
      fc.property(cases, ([edges, values]) => {
        const expected = new Array<number>(edges.length + 1).fill(0);
        for (const x of values) expected[naiveBin(edges, x)] = (expected[naiveBin(edges, x)] ?? 0) + 1;
        expect(counted(numeric(edges), datatype, values)?.counts).toEqual(expected);
      }),
    );
  });

  test.each([
    ['many edges in a thousandth of the span', Array.from({ length: 50 }, (_, i) => i / 1e6).concat(1000)],
    ['edges at the ends of the range', [-Number.MAX_VALUE, 0, Number.MAX_VALUE]],
    ['edges that lie next to each other', [1, 1 + Number.EPSILON, 1 + 2 * Number.EPSILON]],
    ['edges closer than the smallest number', [0, Number.MIN_VALUE]],
    ['one edge', [3]],
    ['no edge', []],
  ])('are exact with %s', (_what, edges) => {
    const values = edges.flatMap((edge) => [edge, edge - Math.abs(edge) * 1e-12, edge + Math.abs(edge) * 1e-12 + 1e-9]);
    const finite = values.filter(Number.isFinite);
    const expected = new Array<number>(edges.length + 1).fill(0);
    for (const x of finite) expected[naiveBin(edges, x)] = (expected[naiveBin(edges, x)] ?? 0) + 1;
    expect(counted(numeric(edges), 'FP64', finite)?.counts).toEqual(expected);
  });

  test.each(['FP32', 'FP16', 'BF16'] as const)(
    'take a value of training for what the tensor makes of it: %s',
    (datatype) => {
      const summary = numeric([0.1, 0.3], { min: 0.1, max: 0.7 });
      const held = [0.1, 0.3, 0.7].map((value) => asHeld(datatype, value));
      const bits = new Uint16Array(3);
      if (datatype === 'FP16') new Float16Array(bits.buffer).set(held);
      else
        bits.set(held.map((value) => new Uint32Array(Float32Array.of(value).buffer)[0] as number).map((b) => b >>> 16));
      const binned = counted(summary, datatype, datatype === 'FP32' ? held : [...bits]);
      expect(binned).toMatchObject({ counts: [1, 1, 1], outOfRange: 0 });
    },
  );

  test('leave out what is missing or infinite, and count what is out of range', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1.5, 0, 2.5];
    expect(counted(numeric([0, 1], { min: -1, max: 2 }), 'FP32', values)).toEqual({
      name: 'f',
      counts: [2, 0, 1],
      missing: 1,
      nonFinite: 2,
      outOfRange: 2,
      unseen: 0,
    });
  });
});

describe('the bins of categories', () => {
  const complete = categorical([3, 1, 7], 0);
  const frequent = categorical([3, 1, 7], 4);

  test.each([
    ['INT64', [3n, 1n, 1n, 9n, 2n, -5n]],
    ['INT32', [3, 1, 1, 9, 2, -5]],
    ['FP32', [3, 1, 1, 9, 1.5, -5]],
  ] as const)('count listed codes, and others as unseen where the list is complete: %s', (datatype, values) => {
    expect(counted(complete, datatype, values)).toMatchObject({ counts: [1, 2, 0, 3], unseen: 3, outOfRange: 0 });
    expect(counted(frequent, datatype, values)).toMatchObject({ counts: [1, 2, 0, 3], unseen: 0 });
  });

  test('count codes that lie far apart, and fractions', () => {
    const summary = categorical([1e9, -1e9, 0.1], 0);
    expect(counted(summary, 'FP32', [1e9, -1e9, 0.1, 0.2])).toMatchObject({ counts: [1, 1, 1, 1], unseen: 1 });
  });

  test('tell what is missing and infinite from what is unseen', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, 3];
    expect(counted(complete, 'FP32', values)).toMatchObject({
      counts: [1, 0, 0, 0],
      missing: 1,
      nonFinite: 1,
      unseen: 0,
    });
  });

  test('of truth values are false and true', () => {
    expect(counted(categorical([false, true], 0), 'BOOL', [1, 1, 0])).toMatchObject({ counts: [1, 2, 0], unseen: 0 });
  });

  test('of texts count an empty one as missing unless it is a category', () => {
    const values = ['red', '', 'blue', 'pink'];
    expect(counted(categorical(['red', 'blue'], 0), 'BYTES', values)).toMatchObject({
      counts: [1, 1, 1],
      missing: 1,
      unseen: 1,
    });
    expect(counted(categorical(['red', ''], 0), 'BYTES', values)).toMatchObject({ counts: [1, 1, 2], missing: 0 });
  });
});

describe('features of a tensor', () => {
  const at = (index: number): Numeric => numeric([0], { name: `f${index}`, index });

  test('are entries of its last dimension, and counts do not depend on how rows are cut into runs', () => {
    const rows = fc.array(fc.tuple(fc.float({ noNaN: true }), fc.float(), fc.float()), { maxLength: 300 });
    const cuts = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1 });
    fc.assert(
      fc.property(rows, cuts, (all, sizes) => {
        const summaries = [numeric([-1, 0, 1], { index: 2 }), numeric([0.5], { name: 'g', index: 0 })];
        const whole = distribution(summaries, { datatype: 'FP32', shape: [-1, 3] });
        whole.count([tensor('FP32', [all.length, 3], all.flat())], all.length, 0, 1, all.length);
        const parts = distribution(summaries, { datatype: 'FP32', shape: [-1, 3] });
        for (let from = 0, i = 0; from < all.length; i++) {
          const part = all.slice(from, from + (sizes[i % sizes.length] as number));
          parts.count([tensor('FP32', [part.length, 3], part.flat())], part.length, 0, 1, part.length);
          from += part.length;
        }
        expect(parts.counts()).toEqual(whole.counts());
      }),
    );
  });

  test('that a request does not have are missing', () => {
    const watched = distribution([at(0), at(4)], { datatype: 'FP32', shape: [-1, -1] });
    watched.count([tensor('FP32', [2, 3], [1, 2, 3, 4, 5, 6])], 2, 0, 1, 2);
    expect(watched.counts()).toMatchObject([
      { counts: [0, 2], missing: 0 },
      { counts: [0, 0], missing: 2 },
    ]);
  });

  test('of a series count at every step', () => {
    const watched = distribution([at(1)], { datatype: 'FP32', shape: [-1, 100, 2] });
    const values = Array.from({ length: 400 }, (_, i) => (i % 2 === 1 && i < 100 ? 1 : -1));
    watched.count([tensor('FP32', [2, 100, 2], values)], 2, 0, 1, 2);
    expect(watched.counts()).toMatchObject([{ counts: [150, 50] }]);
  });

  test('are passed over in a run that does not have the tensor', () => {
    const watched = distribution([at(0)], { datatype: 'FP32', shape: [-1, 1] });
    watched.count([{ ...tensor('FP32', [1, 1], [1]), name: 'z' }], 1, 0, 1, 1);
    expect(watched.counts()).toMatchObject([{ counts: [0, 0], missing: 0 }]);
  });
});
