import { describe, expect, it } from 'vitest';
import { type Asked, answersOf, BatchWorld } from '../../test/batchWorld.ts';

const YIELDS = { yields: true };
const yielding = (world: BatchWorld, value = 7): Asked => world.ask(value, undefined, YIELDS);
const isRefused = async (world: BatchWorld, asked: Asked): Promise<boolean> => {
  await world.time.turn();
  return asked.error?.kind === 'Overloaded';
};

/** A model of which it is known that a run takes 10 ms, and that has had nothing to do for so long. */
async function idleFor(ms: number): Promise<BatchWorld> {
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
  it('is answered by an engine that has had nothing to do for nine times as long as a run takes', async () => {
    const world = await idleFor(90);
    const asked = yielding(world);
    await world.run();
    expect(answersOf(asked)).toEqual([14]);
  });

  it('is refused sooner, so that it never takes more than a tenth of the time of the engine', async () => {
    const world = await idleFor(89);
    expect(await isRefused(world, yielding(world))).toBe(true);
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
    const world = await idleFor(0);
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
    const copy = yielding(world, 3);
    const live = world.ask(3);
    await world.run();
    expect([copy.error?.kind, answersOf(live)]).toEqual(['Overloaded', [6]]);
  });
});
