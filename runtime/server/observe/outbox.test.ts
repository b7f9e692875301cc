import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Delivery, Outbox, type OutboxOptions } from './outbox.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An outbox whose deliveries end as `outcomes` says, the last one again and again. */
function outbox(outcomes: readonly Delivery[], options: Partial<OutboxOptions<number>> = {}) {
  const batches: number[][] = [];
  const box = new Outbox<number>({
    maxItems: 10,
    maxBytes: 100,
    batchItems: 3,
    batchBytes: 50,
    intervalMs: 1000,
    random: () => 1,
    deliver: async (batch) => {
      batches.push([...batch]);
      return outcomes[Math.min(batches.length, outcomes.length) - 1] as Delivery;
    },
    ...options,
  });
  return { box, batches };
}

test('a full batch goes at once, one that is not when its time has come', async () => {
  const { box, batches } = outbox(['sent']);
  for (const n of [1, 2, 3, 4]) box.offer(n, 1);
  await vi.advanceTimersByTimeAsync(0);
  expect(batches).toEqual([[1, 2, 3]]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(batches).toEqual([[1, 2, 3], [4]]);
  expect(box.counts).toEqual({ sent: 4, dropped: 0, waiting: 0 });
});

test('a batch is cut by bytes, and a single thing is never too large for one', async () => {
  const { box, batches } = outbox(['sent']);
  for (const bytes of [30, 30, 40]) box.offer(bytes, bytes);
  await vi.advanceTimersByTimeAsync(3000);
  expect(batches).toEqual([[30], [30], [40]]);
});

test('what there is no room for is dropped and counted, by number and by bytes', async () => {
  const never = Promise.withResolvers<Delivery>();
  const { box } = outbox([], { deliver: () => never.promise });
  expect(Array.from({ length: 12 }, (_, n) => box.offer(n, 1)).filter(Boolean)).toHaveLength(10);
  expect(box.counts).toEqual({ sent: 0, dropped: 2, waiting: 10 });
  const { box: heavy } = outbox([], { deliver: () => never.promise });
  expect([60, 60, 40].map((bytes) => heavy.offer(1, bytes))).toEqual([true, false, true]);
});

test('a batch that can go later is tried again, each time after twice as long', async () => {
  const { box, batches } = outbox([{ laterMs: undefined }, { laterMs: undefined }, 'sent']);
  for (const n of [1, 2, 3]) box.offer(n, 1);
  await vi.advanceTimersByTimeAsync(499);
  expect(batches).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(batches).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(batches).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(box.counts).toEqual({ sent: 3, dropped: 0, waiting: 0 });
});

test('the other side may say when', async () => {
  const { box, batches } = outbox([{ laterMs: 7000 }, 'sent']);
  for (const n of [1, 2, 3]) box.offer(n, 1);
  await vi.advanceTimersByTimeAsync(6999);
  expect(batches).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(batches).toHaveLength(2);
});

test('a refused batch is dropped, and so is one that failed six times; what waits behind it goes on', async () => {
  const { box, batches } = outbox(['refused', ...Array<Delivery>(6).fill({ laterMs: 1 }), 'sent']);
  for (let n = 1; n <= 9; n++) box.offer(n, 1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(batches).toHaveLength(8);
  expect(box.counts).toEqual({ sent: 3, dropped: 6, waiting: 0 });
});

test('closing sends what waits', async () => {
  const { box, batches } = outbox(['sent']);
  for (const n of [1, 2, 3, 4]) box.offer(n, 1);
  await box.close();
  expect(batches).toEqual([[1, 2, 3], [4]]);
  expect(box.offer(5, 1)).toBe(false);
});

test('closing waits two seconds at most, and counts what did not go', async () => {
  const { box } = outbox([{ laterMs: undefined }]);
  for (const n of [1, 2, 3, 4]) box.offer(n, 1);
  const closed = vi.fn();
  void box.close().then(closed);
  await vi.advanceTimersByTimeAsync(2000);
  expect(closed).toHaveBeenCalled();
  expect(box.counts).toEqual({ sent: 0, dropped: 4, waiting: 0 });
  expect(vi.getTimerCount()).toBe(0);
});
