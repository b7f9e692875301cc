import { describe, expect, it } from 'vitest';
import { type Asked, answersOf, BatchWorld } from '../../test/batchWorld.ts';

const YIELDS = { yields: true };
const yielding = (world: BatchWorld, value = 7): Asked => world.ask(value, undefined, YIELDS);
const isRefused = async (world: BatchWorld, asked: Asked): Promise<boolean> => {
  await world.time.turn();
  return asked.error?.kind === 'Overloaded';
};

/** A model of which it is known that a run takes 10 ms, and that has had nothing to do for some time. */
async function idleFor(ms = 1): Promise<BatchWorld> {
  const world = new BatchWorld();
  const first = world.ask(1);
  await world.time.turn();
  world.time.spend(10);
  await world.finish();
  expect(answersOf(first)).toEqual([2]);
  world.time.spend(ms);
  return world;
}

describe('a request that yields', () => {
  it('is answered by an engine that has nothing to do', async () => {
    const world = await idleFor();
    const asked = yielding(world);
    await world.run();
    expect(answersOf(asked)).toEqual([14]);
  });

  it('is refused sooner than four runs after one like it, and not for those of others in between', async () => {
    const world = await idleFor();
    const runs = async (asked: Asked, answer: number): Promise<void> => {
      await world.time.turn();
      world.time.spend(10);
      await world.finish();
      expect(answersOf(asked)).toEqual([answer]);
    };
    await runs(yielding(world), 14);
    world.time.spend(19);
    await runs(world.ask(2), 4);
    expect(await isRefused(world, yielding(world)), '39 ms after').toBe(true);
    world.time.spend(1);
    await runs(yielding(world, 5), 10);
  });

  it('is refused while another runs, waits, or is being read', async () => {
    const world = await idleFor(1000);
    const live = world.ask(2);
    expect(await isRefused(world, yielding(world)), 'one waits').toBe(true);
    expect(world.engine.runs).toHaveLength(1);
    expect(await isRefused(world, yielding(world)), 'one runs').toBe(true);
    await world.run();
    expect(answersOf(live)).toEqual([4]);
    world.time.spend(1000);
    const lease = world.scheduler.lease([[1, 2]]);
    expect(await isRefused(world, yielding(world)), 'one is read').toBe(true);
    lease.release();
  });

  it('leaves no mark among the requests that were shed', async () => {
    const world = await idleFor();
    world.ask(2);
    expect(await isRefused(world, yielding(world))).toBe(true);
    expect(world.scheduler.counts()).toMatchObject({ overloaded: 0, tooLate: 0 });
  });

  it('is joined by nobody who asks the same: its refusal would be theirs', async () => {
    const world = new BatchWorld({ singleFlight: true });
    const first = world.ask(1);
    await world.time.turn();
    world.time.spend(10);
    await world.finish();
    expect(answersOf(first)).toEqual([2]);
    const before = world.ask(2);
    const copy = yielding(world, 3);
    const live = world.ask(3);
    await world.run();
    expect([answersOf(before), copy.error?.kind, answersOf(live)]).toEqual([[4], 'Overloaded', [6]]);
  });
});
