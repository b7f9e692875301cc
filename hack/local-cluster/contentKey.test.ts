import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentKey } from './contentKey.ts';

test('a cache key is 16 hex digits and depends on nothing but its parts', () => {
  expect(contentKey(['a'])).toMatch(/^[0-9a-f]{16}$/);
  expect(contentKey(['a'])).toBe(contentKey([Buffer.from('a')]));
});

test('different parts have different keys, also when their texts join to the same', () => {
  const parts = fc.array(fc.string(), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      expect(contentKey(a)).not.toBe(contentKey(b));
    }),
  );
  expect(contentKey(['ab', ''])).not.toBe(contentKey(['a', 'b']));
});
