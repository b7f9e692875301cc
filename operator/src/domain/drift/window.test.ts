import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlidingWindow, sumOf } from './window.ts';

const SLOT = 60_000;
const SLOTS = 12;
const WINDOW = SLOT * SLOTS;
const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (ms: number): Date => new Date(T0 + ms);
const open = (): SlidingWindow => new SlidingWindow({ slotMs: SLOT, slots: SLOTS });
const born = (id: string, ms: number) => ({ id, startedAt: at(ms) });
const total = (window: SlidingWindow, ms: number): number => sumOf(window.slots(at(ms)))[0] ?? 0;

/** A process of the model: when it starts, when it ends, and how much it counts in each tick of its life. */
interface Life {
  readonly start: number;
  readonly counts: readonly number[];
}
const TICK = 20_000;
const TICKS = 150;
const lives = fc.array(
  fc.record({
    start: fc.integer({ min: 0, max: TICKS - 1 }),
    counts: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: TICKS }),
  }),
  { maxLength: 8 },
);
const countedUntil = ({ start, counts }: Life, tick: number): number =>
  counts.slice(0, Math.max(0, tick - start)).reduce((a, b) => a + b, 0);
const within = (life: Life, from: number, to: number): number => countedUntil(life, to) - countedUntil(life, from);

test('whatever starts, restarts and ends, the window holds what its complete slots saw and not a row more', () => {
  fc.assert(
    fc.property(lives, fc.integer({ min: 1, max: TICKS }), (all, until) => {
      const window = open();
      for (let tick = 0; tick <= until; tick += 1) {
        all.forEach((life, i) => {
          // A pod that has ended answers nobody; its last answer came at its last tick.
          if (tick < life.start || tick > life.start + life.counts.length) return;
          window.record(born(`p${i}`, life.start * TICK), [countedUntil(life, tick)], at(tick * TICK));
        });
      }
      const current = Math.floor((until * TICK) / SLOT) * (SLOT / TICK);
      const from = current - WINDOW / TICK;
      // What was counted in the tick that ends exactly on a border is read there, and laid before or after it.
      const least = all.reduce((sum, life) => sum + within(life, Math.max(0, from + 1), current - 1), 0);
      const most = all.reduce((sum, life) => sum + within(life, Math.max(0, from - 1), current + 1), 0);
      const seen = total(window, until * TICK);
      expect(seen).toBeGreaterThanOrEqual(least - 1e-6);
      expect(seen).toBeLessThanOrEqual(most + 1e-6);
    }),
    { numRuns: 300 },
  );
});

test('a process that starts again begins a new account: neither its zero nor its past is counted', () => {
  const window = open();
  window.record(born('a', 0), [0], at(0));
  window.record(born('a', 0), [100], at(30_000));
  window.record(born('b', 40_000), [5], at(50_000));
  expect(total(window, SLOT)).toBe(105);
});

test('a process that was there before anybody watched counts from its first reading on', () => {
  const window = open();
  window.record(born('old', -30 * WINDOW), [1_000_000], at(0));
  expect(total(window, SLOT)).toBe(0);
  window.record(born('old', -30 * WINDOW), [1_000_007], at(30_000));
  expect(total(window, SLOT)).toBe(7);
});

test('what a process that started within the window counted unread is spread over its life', () => {
  const window = open();
  window.record(born('young', 0), [600], at(10 * SLOT));
  expect(window.slots(at(10 * SLOT)).map((slot) => Math.round(slot[0] ?? 0))).toEqual([
    ...[0, 0],
    ...Array.from({ length: 10 }, () => 60),
  ]);
});

test('a gap in the readings moves counts between slots, and loses none of them', () => {
  const window = open();
  window.record(born('a', 0), [0], at(0));
  window.record(born('a', 0), [90], at(3 * SLOT));
  window.record(born('a', 0), [91], at(3 * SLOT + 1));
  expect(total(window, 4 * SLOT)).toBeCloseTo(91, 9);
});

test('what lies before the window is gone, and a pod that comes back after it is not counted again', () => {
  const window = open();
  window.record(born('a', 0), [50], at(1));
  window.record(born('other', 0), [0], at(2 * WINDOW));
  expect(total(window, 2 * WINDOW)).toBe(0);
  window.record(born('a', 0), [50], at(2 * WINDOW + 1));
  expect(total(window, 2 * WINDOW + SLOT)).toBe(0);
});

test('a clock that is set back neither loses nor doubles', () => {
  const window = open();
  window.record(born('a', 0), [10], at(5_000));
  window.record(born('a', 0), [20], at(-60_000));
  window.record(born('a', 0), [30], at(6_000));
  expect(total(window, SLOT)).toBe(30);
});

test('a counter that a faulty process set back takes nothing away', () => {
  const window = open();
  window.record(born('a', 0), [10, 10], at(0));
  window.record(born('a', 0), [4, 12], at(1_000));
  expect(sumOf(window.slots(at(SLOT)))).toEqual([10, 12]);
});
