import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SteppedClock } from '../../test/clock.ts';
import { WorkQueue } from './queue.ts';
import type { Key } from './resource.ts';

const key = (name: string): Key => ({ namespace: 'n', name });
const a = key('a');
const b = key('b');

test('a key added twice is handed out once', async () => {
  const queue = new WorkQueue(new SteppedClock());
  queue.add(a);
  queue.add(a);
  expect(queue.depth).toBe(1);
  expect(await queue.take()).toEqual(a);
  expect(queue.depth).toBe(0);
});

test('a key added while it is worked on comes again, after that', async () => {
  const queue = new WorkQueue(new SteppedClock());
  queue.add(a);
  await queue.take();
  queue.add(a);
  queue.add(a);
  expect(queue.depth).toBe(0);
  queue.done(a);
  expect(queue.depth).toBe(1);
});

test('news goes before what the first list found, and lifts it', async () => {
  const queue = new WorkQueue(new SteppedClock());
  for (const name of ['l1', 'l2', 'l3']) queue.add(key(name), { priority: 'low' });
  queue.add(b);
  queue.add(key('l3'));
  const order = [];
  while (queue.depth > 0) order.push((await queue.take())?.name);
  expect(order).toEqual(['b', 'l3', 'l1', 'l2']);
});

test('what the first list found is reached even while other keys come back without end', async () => {
  const queue = new WorkQueue(new SteppedClock());
  for (const name of ['l1', 'l2', 'l3']) queue.add(key(name), { priority: 'low' });
  const seen = new Set<string>();
  for (let pass = 0; pass < 12; pass += 1) {
    queue.add(a);
    const taken = await queue.take();
    if (taken !== undefined) queue.done(taken);
    seen.add(taken?.name ?? '');
  }
  expect(seen).toEqual(new Set(['a', 'l1', 'l2', 'l3']));
});

test('a delayed key comes when its time has come', async () => {
  const clock = new SteppedClock();
  const queue = new WorkQueue(clock);
  queue.add(a, { afterMs: 100 });
  await clock.step(99);
  expect(queue.depth).toBe(0);
  await clock.step(1);
  expect(queue.depth).toBe(1);
});

test('the earliest wish wins, whichever came first', async () => {
  const clock = new SteppedClock();
  const queue = new WorkQueue(clock);
  queue.add(a, { afterMs: 100 });
  queue.add(a, { afterMs: 10 });
  queue.add(b, { afterMs: 10 });
  queue.add(b, { afterMs: 100 });
  await clock.step(10);
  expect([await queue.take(), await queue.take()]).toEqual([a, b]);
  queue.done(a);
  queue.done(b);
  await clock.step(1_000);
  expect(queue.depth).toBe(0);
});

test('an add for now makes a later wish of the same key moot', async () => {
  const clock = new SteppedClock();
  const queue = new WorkQueue(clock);
  queue.add(a, { afterMs: 100 });
  queue.add(a);
  await queue.take();
  queue.done(a);
  await clock.step(1_000);
  expect(queue.depth).toBe(0);
});

test('a closed queue gives undefined to all who wait and takes nothing in', async () => {
  const queue = new WorkQueue(new SteppedClock());
  const waiting = [queue.take(), queue.take()];
  queue.close();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  queue.add(a);
  expect(await queue.take()).toBeUndefined();
});

type Step = { readonly do: 'add' | 'later' | 'low' | 'take' | 'done' | 'time'; readonly name: string };
const steps = fc.array(
  fc.record<Step>({
    do: fc.constantFrom('add', 'later', 'low', 'take', 'done', 'time'),
    name: fc.constantFrom('a', 'b', 'c'),
  }),
  { maxLength: 60 },
);

test('no key is worked on twice at once, and every key added is worked on afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const clock = new SteppedClock();
      const queue = new WorkQueue(clock);
      const working = new Set<string>();
      const owed = new Set<string>();
      const take = async (): Promise<void> => {
        const taken = (await queue.take()) as Key;
        expect(working.has(taken.name)).toBe(false);
        working.add(taken.name);
        owed.delete(taken.name);
      };
      for (const step of plan) {
        if (step.do === 'add') queue.add(key(step.name));
        if (step.do === 'later') queue.add(key(step.name), { afterMs: 50 });
        if (step.do === 'low') queue.add(key(step.name), { priority: 'low' });
        if (step.do === 'add' || step.do === 'later' || step.do === 'low') owed.add(step.name);
        if (step.do === 'time') await clock.step(50);
        if (step.do === 'take' && queue.depth > 0) await take();
        if (step.do === 'done' && working.delete(step.name)) queue.done(key(step.name));
      }
      await clock.step(1_000);
      for (const name of working) queue.done(key(name));
      working.clear();
      while (queue.depth > 0) await take();
      expect([...owed]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
