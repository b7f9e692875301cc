import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Room } from './room.ts';

const KIB = 1024;

test('takes no more than its number and its bytes, and both ends see the same', () => {
  const room = new Room(2, 10 * KIB);
  const otherEnd = new Room(0, 0, room.memory);
  expect([room.take(8 * KIB - 1), room.take(3 * KIB), room.take(KIB), room.take(0)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  otherEnd.give(8 * KIB - 1);
  expect(room.fits(7 * KIB)).toBe(true);
  room.clear();
  expect([room.items, room.fits(10 * KIB)]).toEqual([0, true]);
});

test('the other end may limit it: what is under way stays, and one more waits until there is room', () => {
  const room = new Room(3, 10 * KIB);
  const otherEnd = new Room(0, 0, room.memory);
  room.take(0);
  room.take(0);
  otherEnd.limit(1);
  expect([room.items, room.fits(0)]).toEqual([2, false]);
  otherEnd.give(0);
  otherEnd.give(0);
  expect([room.take(0), room.take(0)]).toEqual([true, false]);
  room.clear();
  expect([room.take(0), room.take(0), room.take(0), room.take(0)]).toEqual([true, true, true, false]);
});

test('what was given back leaves the room as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4 * KIB), { maxLength: 20 }), (sizes) => {
      const room = new Room(8, 16 * KIB);
      const taken = sizes.filter((bytes) => room.take(bytes));
      expect(room.items).toBe(taken.length);
      for (const bytes of taken) room.give(bytes);
      expect([...room.memory]).toEqual([0, 0, 8]);
    }),
  );
});
