import { describe, expect, it } from 'vitest';
import { answersOf, BatchWorld } from '../../test/batchWorld.ts';
import { EngineError } from '../engine/engine.ts';

const refusal = (call: () => unknown): EngineError => {
  try {
    call();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

/** A world whose engine is busy with one request, where a run of any size takes 100 ms. */
async function busy(batching: ConstructorParameters<typeof BatchWorld>[0]): Promise<BatchWorld> {
  const world = new BatchWorld(batching);
  for (const rows of [1, batching?.maxSize ?? 32]) {
    world.ask(0, [[rows, 2]]);
    await world.time.turn();
    world.time.spend(100);
    await world.finish();
  }
  world.ask(0);
  await world.time.turn();
  return world;
}

describe('a full queue', () => {
  it('triton#914: refuses one more, and says when to come again', async () => {
    const world = await busy({ maxQueue: 2, maxSize: 1 });
    world.ask(1);
    world.ask(2);
    const error = refusal(() => world.ask(3));
    expect(error.kind).toBe('Overloaded');
    expect(error.retryAfterMs, 'the run under way and two more').toBe(300);
    const late = world.submit(world.scheduler.lease([[1, 2]]), 4);
    expect(late.error).toBeUndefined();
    await Promise.resolve();
    expect(late.error?.kind).toBe('Overloaded');
    expect(world.scheduler.counts()).toMatchObject({ waiting: 2, running: 1, overloaded: 2 });
  });

  it('gives up the newest of the least urgent for one that is more urgent', async () => {
    const world = await busy({ maxQueue: 3, maxSize: 1 });
    const old = world.ask(1, undefined, { priority: 9 });
    const young = world.ask(2, undefined, { priority: 9 });
    const middle = world.ask(3);
    const urgent = world.ask(4, undefined, { priority: 1 });
    expect(young.error?.kind).toBe('Overloaded');
    expect([old, middle, urgent].map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(refusal(() => world.ask(5, undefined, { priority: 9 })).kind).toBe('Overloaded');
    world.ask(6);
    expect(old.error?.kind).toBe('Overloaded');
    expect(refusal(() => world.ask(7)).kind).toBe('Overloaded');
  });

  it('of no room at all still takes what a free engine can run', async () => {
    const world = new BatchWorld({ maxQueue: 0, maxSize: 2 });
    const asked = [world.ask(1), world.ask(2)];
    expect(refusal(() => world.ask(3)).kind).toBe('Overloaded');
    await world.time.turn();
    expect(refusal(() => world.ask(4)).kind).toBe('Overloaded');
    await world.finish();
    expect(asked.map(answersOf)).toEqual([[2], [4]]);
  });

  it('refuses by bytes before anything is decoded, but for the first', async () => {
    const world = new BatchWorld({ maxQueueBytes: 100 });
    const large = world.scheduler.lease([[1000, 2]]);
    expect(refusal(() => world.scheduler.lease([[1, 2]])).kind).toBe('Overloaded');
    large.release();
    for (let i = 0; i < 12; i += 1) world.scheduler.lease([[1, 2]]);
    expect(refusal(() => world.scheduler.lease([[1, 2]]))).toMatchObject({ kind: 'Overloaded' });
  });

  it('counts no bytes of what runs or has gone', async () => {
    const world = new BatchWorld({ maxQueueBytes: 16, maxSize: 2 });
    const gone = world.ask(1);
    gone.submission.cancel();
    world.ask(2);
    world.ask(3);
    await world.time.turn();
    world.ask(4);
    world.ask(5);
    expect(refusal(() => world.ask(6)).kind).toBe('Overloaded');
  });

  it('counts the characters of text, which shapes do not tell', async () => {
    const text = (name: string) => ({ name, datatype: 'BYTES' as const, shape: [-1] });
    const { SteppedEngine } = await import('../../test/steppedEngine.ts');
    const world = new BatchWorld({ maxQueueBytes: 1000 }, new SteppedEngine([text('x')], [text('y')]));
    const first = world.scheduler.lease([[1]]);
    const second = world.scheduler.lease([[1]]);
    const kinds: unknown[] = [];
    for (const lease of [first, second]) {
      (lease.inputs[0]?.elements as string[])[0] = 'x'.repeat(600);
      lease.submit({ outputs: ['y'] }, (error) => kinds.push(error?.kind));
    }
    await world.run();
    expect(kinds).toEqual(['Overloaded', undefined]);
  });
});

describe('a deadline', () => {
  it.each([
    ['in time for its own run', 205, undefined],
    ['that the run under way alone makes impossible', 150, 'TooLate'],
    ['already over', -1, 'TooLate'],
  ])('%s is known at once', async (_, ms, kind) => {
    const world = await busy({});
    const ask = () => world.ask(1, undefined, { deadline: world.time.now() + ms });
    if (kind === undefined) expect(ask().error).toBeUndefined();
    else expect(refusal(ask)).toMatchObject({ kind, retryAfterMs: 100 });
    expect(world.scheduler.counts().tooLate).toBe(kind === undefined ? 0 : 1);
  });

  it('counts what waits before it, and not what is less urgent', async () => {
    const world = await busy({ maxSize: 1 });
    for (let i = 0; i < 3; i += 1) world.ask(i);
    const deadline = world.time.now() + 350;
    expect(refusal(() => world.ask(1, undefined, { deadline })).kind).toBe('TooLate');
    expect(world.ask(1, undefined, { deadline, priority: 1 }).error).toBeUndefined();
  });

  it('that passes in the queue is told when it passes, and not run', async () => {
    const world = new BatchWorld();
    world.ask(1);
    await world.time.turn();
    const asked = world.ask(2, undefined, { deadline: world.time.now() + 50 });
    await world.time.advance(51);
    expect(asked.error?.kind).toBe('TooLate');
    await world.run();
    expect(world.engine.log).toEqual([1]);
    expect(world.scheduler.counts().tooLate).toBe(1);
  });

  it('that passes in the run is told when it passes, and the run ended when nobody waits for it', async () => {
    const world = new BatchWorld();
    const [soon, later] = [50, 80].map((ms) => world.ask(1, undefined, { deadline: world.time.now() + ms }));
    await world.time.turn();
    const { signal } = world.first;
    await world.time.advance(60);
    expect([soon?.error?.kind, later?.error?.kind, signal?.aborted]).toEqual(['TooLate', undefined, false]);
    await world.time.advance(30);
    expect([later?.error?.kind, signal?.aborted]).toEqual(['TooLate', true]);
    expect(world.scheduler.counts()).toMatchObject({ tooLate: 2, running: 0, failedRuns: 0 });
  });

  it('that can not be met any more when its turn comes is not run', async () => {
    const world = await busy({});
    const asked = world.ask(1, undefined, { deadline: world.time.now() + 250 });
    world.time.spend(200);
    await world.finish();
    expect(asked.error?.kind).toBe('TooLate');
  });

  it('keeps a batch small where one more row would make it late', async () => {
    const world = new BatchWorld({ maxSize: 8 });
    for (const [rows, ms] of [
      [1, 10],
      [8, 80],
    ] as const) {
      world.ask(0, [[rows, 2]]);
      await world.time.turn();
      world.time.spend(ms);
      await world.finish();
    }
    world.ask(0, undefined, { deadline: world.time.now() + 35 });
    for (let i = 0; i < 7; i += 1) world.ask(0);
    await world.run();
    expect(world.engine.log).toEqual([1, 8, 1, 7]);
  });

  it.each([
    { callers: 16, patience: 300 },
    { callers: 64, patience: 600 },
    { callers: 200, patience: 1000 },
  ])(
    'of $patience ms with $callers callers leaves most of the engine to answers in time',
    async ({ callers, patience }) => {
      const answered = await underLoad(callers, patience);
      // A run of n rows takes 30 + 15n ms, so batches of 16 answer 59 a second.
      expect(answered).toBeGreaterThan(0.8 * 59);
    },
  );

  it('is not tried again by runs that would be ended for it too', async () => {
    const world = new BatchWorld();
    world.ask(1, undefined, { deadline: world.time.now() + 100 });
    await world.time.turn();
    await world.time.advance(110);
    expect(world.scheduler.counts()).toMatchObject({ running: 0, tooLate: 1 });
    const impatient = () => world.ask(2, undefined, { deadline: world.time.now() + 90 });
    expect(refusal(impatient).kind).toBe('TooLate');
    expect(world.engine.log).toEqual([1]);
  });

  it('that looks too short is tried all the same once the engine was idle for long, to learn what runs cost now', async () => {
    const world = new BatchWorld();
    world.ask(1);
    await world.time.turn();
    world.time.spend(5000);
    await world.finish();
    const impatient = () => world.ask(2, undefined, { deadline: world.time.now() + 100 });
    expect(refusal(impatient).kind).toBe('TooLate');
    await world.time.advance(5001);
    const probe = impatient();
    await world.time.turn();
    world.time.spend(10);
    await world.finish();
    expect(answersOf(probe)).toEqual([4]);
  });

  it('sets one timer for any number of requests with the same patience', async () => {
    const world = new BatchWorld();
    for (let i = 0; i < 20; i += 1) {
      world.ask(i, undefined, { deadline: world.time.now() + 60_000 });
      world.time.spend(1);
    }
    expect(world.time.timers).toBe(1);
  });
});

/** Answers a second, when so many callers ask again as soon as they are answered, or 5 ms after they were refused. */
async function underLoad(callers: number, patience: number): Promise<number> {
  const SECONDS = 5;
  const world = new BatchWorld();
  const { time, engine } = world;
  const end = time.now() + SECONDS * 1000;
  const asksAt = new Array<number>(callers).fill(time.now());
  const waiting = new Map<ReturnType<typeof world.ask>, number>();
  const endsAt = new Map<(typeof engine.runs)[number], number>();
  let answered = 0;
  while (time.now() < end) {
    asksAt.forEach((at, caller) => {
      if (at > time.now()) return;
      asksAt[caller] = time.now() + 5;
      try {
        waiting.set(world.ask(1, undefined, { deadline: time.now() + patience }), caller);
        asksAt[caller] = Infinity;
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
      }
    });
    await time.turn();
    for (const run of [...engine.runs]) {
      if (!endsAt.has(run)) endsAt.set(run, time.now() + 30 + 15 * run.rows);
      if ((endsAt.get(run) as number) <= time.now()) run.finish();
    }
    await time.turn();
    for (const [asked, caller] of waiting) {
      if (asked.error === undefined && asked.outcome === undefined) continue;
      waiting.delete(asked);
      answered += asked.outcome ? 1 : 0;
      asksAt[caller] = time.now() + (asked.outcome ? 1 : 5);
    }
    await time.advance(1);
  }
  return answered / SECONDS;
}
