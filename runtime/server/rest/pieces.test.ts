import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pieces } from './pieces.ts';

test('pieces of any length come out whole and in their order', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 0, max: 9000 }).map((length) => new Uint8Array(length).fill(length)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (sent) => {
      const pieces = new Pieces();
      for (const bytes of sent) pieces.add(Buffer.from(bytes));
      expect(pieces.whole().equals(Buffer.concat(sent))).toBe(true);
    }),
  );
});

test('a hundred thousand chunks of a byte are held in two blocks', () => {
  const pieces = new Pieces();
  for (let i = 0; i < 100_000; i++) pieces.add(Buffer.from([i & 255]));
  expect(pieces.count).toBe(2);
  expect(pieces.whole().every((byte, i) => byte === (i & 255))).toBe(true);
});
