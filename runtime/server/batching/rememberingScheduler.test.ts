import { describe, expect, it } from 'vitest';
import { type Asked, answersOf, BatchWorld } from '../../test/batchWorld.ts';
import { float, SteppedEngine } from '../../test/steppedEngine.ts';
import { quiet } from '../../test/virtualTime.ts';
import { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { requestKey } from './requestKey.ts';

const cache = { maxBytes: 1_000_000, ttlMs: 1000 };
const kinds = (asked: readonly Asked[]) => asked.map(({ error }) => error?.kind);

describe('the answer cache', () => {
  it('answers an exactly equal request without a run, and says so', async () => {
    const world = new BatchWorld({ cache });
    const first = world.ask(1);
    await world.run();
    const again = world.ask(1);
    expect(again.outcome, 'never before submit returns').toBeUndefined();
    await quiet();
    expect([answersOf(first), answersOf(again)]).toEqual([[2], [2]]);
    expect([first.outcome?.cached, again.outcome?.cached]).toEqual([false, true]);
    expect(again.outcome?.run, 'no run, and none that is kept alive').toBeUndefined();
    expect(world.engine.log).toEqual([1]);
    expect(world.scheduler.counts()).toMatchObject({ cacheHits: 1, cacheMisses: 1, shared: 0 });
    await world.scheduler.close();
  });

  it('keeps copies, so that one row does not keep its batch', async () => {
    const world = new BatchWorld({ cache });
    const asked = world.ask(1);
    await world.run();
    for (const { elements } of asked.outcome?.outputs ?? []) (elements as Float32Array).fill(9);
    const again = world.ask(1);
    await quiet();
    expect(answersOf(again)).toEqual([2]);
  });

  it('forgets after its time', async () => {
    const world = new BatchWorld({ cache });
    world.ask(1);
    await world.run();
    await world.time.advance(1001);
    world.ask(1);
    await world.run();
    expect(world.engine.log).toEqual([1, 1]);
  });

  it('forgets the least recently used when its bytes are used up', async () => {
    const world = new BatchWorld({ cache: { maxBytes: 1200, ttlMs: 1000 }, maxSize: 1 });
    for (const value of [1, 2, 1, 3, 1, 2]) {
      world.ask(value);
      await world.run();
    }
    expect(world.scheduler.counts()).toMatchObject({ cacheHits: 2, cacheMisses: 4 });
  });

  it('does not remember errors', async () => {
    const world = new BatchWorld({ cache });
    const first = world.ask(1);
    await world.time.turn();
    await world.fail(new EngineError('ModelFailed', 'no such category'));
    expect(first.error?.kind).toBe('ModelFailed');
    const again = world.ask(1);
    await world.run();
    expect(answersOf(again)).toEqual([2]);
  });

  it('tells a caller who goes before the answer that he went, and no more', async () => {
    const world = new BatchWorld({ cache });
    world.ask(1);
    await world.run();
    const gone = world.ask(1);
    gone.submission.cancel();
    await quiet();
    expect([gone.error?.kind, gone.outcome]).toEqual(['Cancelled', undefined]);
  });
});

describe('the key of a request', () => {
  const tensor = (shape: number[], elements: TensorValue['elements']): TensorValue => ({
    name: 'x',
    datatype: Array.isArray(elements) ? 'BYTES' : 'FP32',
    shape,
    elements,
  });
  const base = requestKey([tensor([1, 2], Float32Array.of(0, 1))], ['y', 'z']);

  it.each<[what: string, inputs: TensorValue[], outputs: string[]]>([
    ['one bit of an input', [tensor([1, 2], Float32Array.of(-0, 1))], ['y', 'z']],
    ['the shape', [tensor([2, 1], Float32Array.of(0, 1))], ['y', 'z']],
    ['the outputs', [tensor([1, 2], Float32Array.of(0, 1))], ['y']],
    ['the order of the outputs', [tensor([1, 2], Float32Array.of(0, 1))], ['z', 'y']],
  ])('differs with %s', (_, inputs, outputs) => {
    expect(requestKey(inputs, outputs)).not.toBe(base);
  });

  it('does not take one text for two', () => {
    const texts = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['a","b', 'c'],
    ];
    expect(new Set(texts.map((text) => requestKey([tensor([2], text)], ['y']))).size).toBe(3);
  });

  it('is the same for equal requests in different memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16), 4, 2);
    shared.set([0, 1]);
    expect(requestKey([tensor([1, 2], shared)], ['y', 'z'])).toBe(base);
  });
});

describe('single flight', () => {
  it('runs equal requests once, and answers each', async () => {
    const world = new BatchWorld({ singleFlight: true });
    const asked = [1, 1, 2, 1].map((value) => world.ask(value));
    await world.run();
    expect(world.engine.log).toEqual([2]);
    expect(asked.map(answersOf)).toEqual([[2], [2], [4], [2]]);
    expect(world.scheduler.counts()).toMatchObject({ shared: 2, cacheHits: 0, cacheMisses: 0 });
    const later = world.ask(1);
    await world.run();
    expect(answersOf(later), 'nothing is remembered').toEqual([2]);
    expect(world.engine.log).toEqual([2, 1]);
    await world.scheduler.close();
  });

  it('goes on for the others when the leader goes, and ends when all have gone', async () => {
    const world = new BatchWorld({ singleFlight: true });
    const [leader, b, c] = [world.ask(1), world.ask(1), world.ask(1)];
    leader.submission.cancel();
    b.submission.cancel();
    await world.time.turn();
    expect(world.engine.log).toEqual([1]);
    await world.finish();
    expect([kinds([leader, b, c]), answersOf(c)]).toEqual([['Cancelled', 'Cancelled', undefined], [2]]);
    const [d, e] = [world.ask(1), world.ask(1)];
    d.submission.cancel();
    e.submission.cancel();
    await world.run();
    expect(world.engine.log).toEqual([1]);
    await world.scheduler.close();
  });

  it('is handed to the next when the leader is too late', async () => {
    const world = new BatchWorld({ singleFlight: true });
    world.ask(9);
    await world.time.turn();
    const leader = world.ask(1, undefined, { deadline: world.time.now() + 50 });
    const follower = world.ask(1, undefined, { deadline: world.time.now() + 500 });
    await world.time.advance(60);
    expect(kinds([leader, follower])).toEqual(['TooLate', undefined]);
    await world.run();
    expect(answersOf(follower)).toEqual([2]);
  });

  it('is not for who is more urgent or due earlier than the leader', async () => {
    const world = new BatchWorld({ singleFlight: true });
    world.ask(1);
    world.ask(1, undefined, { priority: 1 });
    world.ask(1, undefined, { deadline: world.time.now() + 100 });
    await world.run();
    expect(world.engine.log).toEqual([3]);
    expect(world.scheduler.counts().shared).toBe(0);
  });

  it('shares the failure of the model too', async () => {
    const world = new BatchWorld({ singleFlight: true, cache }, new SteppedEngine([float('x', 2)], [float('y', 2)]));
    const asked = [1, 1].map((value) => world.ask(value, [[2]]));
    await world.time.turn();
    await world.fail(new EngineError('ModelFailed', 'no such category'));
    expect(kinds(asked)).toEqual(['ModelFailed', 'ModelFailed']);
    expect(world.scheduler.counts()).toMatchObject({ cacheMisses: 2, shared: 1, failedRuns: 1 });
    await world.scheduler.close();
  });
});
