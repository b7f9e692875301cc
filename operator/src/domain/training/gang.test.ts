import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pod } from '../../../test/trainingBuilders.ts';
import { completedIndexes, gangOf, gapIn } from './gang.ts';

const named = (index: number, uid: string) => {
  const made = pod({ index });
  return { ...made, metadata: { ...made.metadata, uid } };
};
const four = [0, 1, 2, 3].map((index) => named(index, `uid-${index}`));
const gang = gangOf(four, 4);
const job = (completedIndexes = '') => ({ status: { completedIndexes } });

describe('a gang', () => {
  test('is known once every index has its pod, in whatever order they come', () => {
    expect(gangOf(four.slice(1), 4)).toBeUndefined();
    expect(gangOf([...four].reverse(), 4)).toBe(gang);
  });

  test('that nobody has seen whole misses nothing', () => {
    expect(gapIn(undefined, job(), four.slice(1), 4)).toBeUndefined();
  });

  test('misses the index whose pod is gone, unless that index is done', () => {
    expect(gapIn(gang, job(), four.slice(0, 3), 4)).toEqual({ index: 3, how: 'deleted' });
    expect(gapIn(gang, job('2-3'), four.slice(0, 2), 4)).toBeUndefined();
  });

  test('one other uid at any index is another gang', () => {
    fc.assert(
      fc.property(fc.nat(3), (index) => {
        const others = four.map((p, i) => (i === index ? named(i, 'newcomer') : p));
        expect(gapIn(gang, job(), others, 4)).toEqual({ index: undefined, how: 'replaced' });
      }),
    );
  });
});

test.each([
  ['', []],
  ['0', [0]],
  ['0-2,5', [0, 1, 2, 5]],
])('the short form %j of done indexes', (text, want) => {
  expect([...completedIndexes(job(text))]).toEqual(want);
});
