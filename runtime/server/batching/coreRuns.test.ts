import { expect, it } from 'vitest';
import { type Asked, answersOf, BatchWorld } from '../../test/batchWorld.ts';
import { SteppedEngine } from '../../test/steppedEngine.ts';

const RUN_MS = 100;

/** Two cores, and batches of 16 at most. */
function twoCores(settings: ConstructorParameters<typeof BatchWorld>[0] = {}): BatchWorld {
  const engine = new SteppedEngine();
  engine.perCore = 2;
  return new BatchWorld({ maxSize: 16, ...settings }, engine);
}

const ask = (world: BatchWorld, count: number, order = {}): Asked[] =>
  Array.from({ length: count }, (_, i) => world.ask(i + 1, undefined, order));

const runsOf = ({ engine }: BatchWorld): string[] =>
  engine.runs.map(({ rows, perCore }) => `${rows} ${perCore ? 'on one' : 'on all'}`);

/** Ends the oldest run, which has lasted so long. */
async function end(world: BatchWorld, ms = RUN_MS): Promise<void> {
  world.time.spend(ms);
  await world.finish();
}

it('few requests run together on all cores', async () => {
  const world = twoCores();
  ask(world, 15);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['15 on all']);
});

it('where eight rows wait for each core, each core has a run, and they do not end together', async () => {
  const world = twoCores();
  const asked = ask(world, 40);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['16 on one', '8 on one']);
  await world.run();
  expect(world.engine.most).toBe(2);
  expect(asked.map(answersOf)).toEqual(asked.map((_, i) => [2 * (i + 1)]));
});

it('a run of all cores and one of a single core never go on at the same time', async () => {
  const world = twoCores();
  ask(world, 3);
  await world.time.turn();
  ask(world, 40);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['3 on all']);
  await end(world);
  expect(runsOf(world)).toEqual(['16 on one', '8 on one']);
});

it('a core that is free takes a full batch at once', async () => {
  const world = twoCores();
  ask(world, 40);
  await world.time.turn();
  await end(world);
  expect(runsOf(world)).toEqual(['8 on one', '16 on one']);
});

it('a core that is free waits for those who come back, for as long as they come and a tenth of a run at most', async () => {
  const world = twoCores();
  ask(world, 24);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['12 on one', '6 on one']);
  await end(world);
  expect(runsOf(world), 'six wait, no full batch').toEqual(['6 on one']);
  for (let ms = 1; ms < 10; ms += 1) {
    await world.time.advance(1);
    ask(world, 1);
    await world.time.turn();
    expect(runsOf(world)).toEqual(['6 on one']);
  }
  await world.time.advance(1);
  expect(runsOf(world)).toEqual(['6 on one', '15 on one']);
});

it('runs that ended together do not start together again: the second one is half as long', async () => {
  const world = twoCores();
  ask(world, 64);
  await world.time.turn();
  await end(world);
  await end(world, 0);
  expect(runsOf(world)).toEqual(['16 on one', '8 on one']);
});

it('nobody comes back: a core that is free starts after two milliseconds', async () => {
  const world = twoCores();
  ask(world, 24);
  await world.time.turn();
  await end(world);
  await world.time.advance(1);
  expect(runsOf(world)).toEqual(['6 on one']);
  await world.time.advance(1);
  expect(runsOf(world)).toEqual(['6 on one', '6 on one']);
});

it('who is in a hurry is not given to one core, which takes longer', async () => {
  const world = twoCores();
  ask(world, 40);
  await world.time.turn();
  while (world.engine.runs.length > 0) await end(world);
  ask(world, 40, { deadline: world.time.now() + 1.5 * RUN_MS });
  await world.time.turn();
  expect(runsOf(world)).toEqual(['16 on all']);
});

it('a request as large as all others together is not given to one core', async () => {
  const world = twoCores();
  world.ask(1, [[14, 2]]);
  ask(world, 4);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['16 on all']);
});

it('once nothing runs, few requests have all cores again', async () => {
  const world = twoCores();
  ask(world, 40);
  await world.run();
  ask(world, 2);
  await world.time.turn();
  expect(runsOf(world)).toEqual(['2 on all']);
});

it('what runs of one thread cost is not taken for what others cost', async () => {
  const world = twoCores();
  ask(world, 40);
  await world.time.turn();
  while (world.engine.runs.length > 0) await end(world, 1000);
  const asked = world.ask(1, undefined, { deadline: world.time.now() + 50 });
  await world.run();
  expect(answersOf(asked)).toEqual([2]);
});

it('closing answers what waits, without waiting for more', async () => {
  const world = twoCores();
  const asked = ask(world, 24);
  await world.time.turn();
  const closed = world.scheduler.close();
  await end(world);
  expect(runsOf(world)).toEqual(['6 on one', '6 on one']);
  await world.run();
  await closed;
  expect(asked.every(({ outcome }) => outcome !== undefined)).toBe(true);
});
