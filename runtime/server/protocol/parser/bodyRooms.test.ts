import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyRooms } from './bodyRooms.ts';

test('a room has the size asked for, lies in shared memory, and wastes at most a quarter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50_000_000 }), (bytes) => {
      const room = new BodyRooms().take(bytes);
      expect(room.length).toBe(bytes);
      expect(room.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(room.buffer.byteLength).toBeLessThanOrEqual(Math.max(65_536, bytes * 1.25));
    }),
    { numRuns: 50 },
  );
});

test('a room given back is given out again', () => {
  const rooms = new BodyRooms();
  const room = rooms.take(3_000_000);
  rooms.give(room);
  expect(rooms.take(2_999_999).buffer).toBe(room.buffer);
  expect(rooms.take(3_000_000).buffer).not.toBe(room.buffer);
});

test('no more is kept than allowed, and nothing that is not ours', () => {
  const rooms = new BodyRooms(100_000);
  const room = rooms.take(200_000);
  rooms.give(room);
  expect(rooms.take(200_000).buffer).not.toBe(room.buffer);
  const other = Buffer.alloc(65_536);
  rooms.give(other);
  expect(rooms.take(65_536).buffer).not.toBe(other.buffer);
});
