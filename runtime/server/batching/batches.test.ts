import { describe, expect, it } from 'vitest';
import { answersOf, BatchWorld, rowsOf } from '../../test/batchWorld.ts';
import { float, SteppedEngine } from '../../test/steppedEngine.ts';
import { EngineError } from '../engine/engine.ts';
import type { NumericElements, TensorValue } from '../tensor.ts';

const memoryOf = ({ elements }: TensorValue): ArrayBufferLike => (elements as NumericElements).buffer;

describe('which requests share a run', () => {
  it('those of one turn of the loop, without a copy', async () => {
    const world = new BatchWorld();
    const asked = [1, 2, 3].map((value) => world.ask(value));
    expect(world.engine.runs).toHaveLength(0);
    await world.time.turn();
    const [input] = world.first.inputs as [TensorValue];
    expect(input.shape).toEqual([3, 2]);
    expect(memoryOf(input)).toBe(memoryOf(asked[0]?.lease.inputs[0] as TensorValue));
    await world.finish();
    expect(asked.map(answersOf)).toEqual([[2], [4], [6]]);
    expect(asked[0]?.outcome).toMatchObject({ batchRows: 3, cached: false });
  });

  it('triton#8251, #7492: those that gathered while the engine was busy, at once when it is free', async () => {
    const world = new BatchWorld();
    const first = world.ask(1);
    await world.time.turn();
    const rest = [world.ask(2), world.ask(3)];
    await world.time.turn();
    expect(world.engine.log).toEqual([1]);
    world.time.spend(4);
    world.first.finish();
    await world.time.turn();
    expect(world.engine.log).toEqual([1, 2]);
    await world.finish();
    expect([first, ...rest].map(answersOf)).toEqual([[2], [4], [6]]);
    expect(rest[0]?.outcome?.queueMs).toBe(4);
    const runs = [first, ...rest].map(({ outcome }) => outcome?.run);
    expect(runs[1], 'the same for all of a run').toBe(runs[2]);
    expect(new Set(runs).size, 'and for nobody else').toBe(2);
    expect(runs).not.toContain(undefined);
  });

  it('copied together where a request between them has gone', async () => {
    const world = new BatchWorld();
    const [a, gone, c] = [world.ask(1), world.ask(2), world.ask(3)];
    gone.submission.cancel();
    await world.time.turn();
    const [input] = world.first.inputs as [TensorValue];
    expect(rowsOf(input)).toEqual([1, 3]);
    expect(memoryOf(input)).not.toBe(memoryOf(a.lease.inputs[0] as TensorValue));
    await world.finish();
    expect([a, c].map(answersOf)).toEqual([[2], [6]]);
  });

  it('as many as there are instances run at the same time', async () => {
    const world = new BatchWorld({ instances: 2, maxSize: 1 });
    for (const value of [1, 2, 3]) world.ask(value);
    await world.time.turn();
    expect(world.engine.runs).toHaveLength(2);
    await world.run();
    expect(world.engine.log).toEqual([1, 1, 1]);
    expect(world.engine.most).toBe(2);
  });

  it('BentoML#3710: up to the largest size; a request of more rows runs alone and whole', async () => {
    const world = new BatchWorld({ maxSize: 4 });
    const rows = [1, 2, 2, 9, 1];
    const asked = rows.map((n) => world.ask(n, [[n, 2]]));
    await world.run();
    expect(world.engine.log).toEqual([3, 2, 9, 1]);
    expect(asked.map(({ outcome }) => outcome?.outputs[0]?.shape[0])).toEqual(rows);
  });

  it('triton#3116: cut to the largest preferred size', async () => {
    const world = new BatchWorld({ preferredSizes: [4, 2, 64] });
    for (let i = 0; i < 7; i += 1) world.ask(i);
    await world.run();
    expect(world.engine.log).toEqual([4, 2, 1]);
  });

  it('with a delay: those that come before the batch is full or the time is over', async () => {
    const world = new BatchWorld({ maxDelayMs: 10, maxSize: 3 });
    world.ask(1);
    await world.time.turn();
    await world.time.advance(9);
    world.ask(2);
    await world.time.turn();
    expect(world.engine.log).toEqual([]);
    await world.time.advance(1);
    expect(world.engine.log).toEqual([2]);
    await world.run();
    for (const value of [3, 4, 5]) world.ask(value);
    await world.time.turn();
    expect(world.engine.log).toEqual([2, 3]);
  });

  it('with a delay that a deadline cuts short', async () => {
    const world = new BatchWorld({ maxDelayMs: 1000 });
    const asked = world.ask(1, undefined, { deadline: world.time.now() + 30 });
    await world.time.turn();
    await world.time.advance(24);
    expect(world.engine.log).toEqual([]);
    await world.time.advance(1);
    expect(world.engine.log).toEqual([1]);
    await world.finish();
    expect(answersOf(asked)).toEqual([2]);
  });

  it('only those of the same shape beside the batch dimension, where it is the callers choice', async () => {
    const world = new BatchWorld({}, new SteppedEngine([float('x', -1, -1)], [float('y', -1, -1)]));
    const widths = [2, 3, 2, 3, 2];
    const asked = widths.map((width, i) => world.ask(i, [[1, width]]));
    await world.run();
    expect(world.engine.log).toEqual([3, 2]);
    expect(asked.map(answersOf)).toEqual([[0], [2], [4], [6], [8]]);
    expect(asked.map(({ outcome }) => outcome?.outputs[0]?.shape)).toEqual(widths.map((width) => [1, width]));
  });

  it('text too', async () => {
    const text = (name: string) => ({ name, datatype: 'BYTES' as const, shape: [-1, 1] });
    const world = new BatchWorld({}, new SteppedEngine([text('x')], [text('y')]));
    const leases = ['one', 'two'].map((word) => {
      const lease = world.scheduler.lease([[1, 1]]);
      (lease.inputs[0] as TensorValue).elements[0] = word;
      return lease;
    });
    const answers: unknown[] = [];
    for (const lease of leases) lease.submit({ outputs: ['y'] }, (_, outcome) => answers.push(outcome?.outputs[0]));
    await world.run();
    expect(world.engine.log).toEqual([2]);
    expect(answers).toMatchObject([{ elements: ['oneone'] }, { elements: ['twotwo'] }]);
  });

  it('none, where a dimension of an input or output is fixed', async () => {
    const world = new BatchWorld({}, new SteppedEngine([float('x', 2)], [float('y', 2)]));
    expect(world.scheduler.batchable).toBe(false);
    const asked = [1, 2].map((value) => world.ask(value, [[2]]));
    await world.run();
    expect(world.engine.log).toEqual([2, 2]);
    expect(asked.map(answersOf)).toEqual([[2], [4]]);
    expect([...world.scheduler.counts().runsByRows.keys()]).toEqual([1]);
  });

  it('whatever outputs they ask for: the run computes all of them once, and each gets its own in its order', async () => {
    const engine = new SteppedEngine(
      [float('a', -1, 1), float('b', -1, 1)],
      [float('p', -1, 1), float('q', -1, 1), float('r', -1, 1)],
    );
    const world = new BatchWorld({}, engine);
    const shapes = [
      [1, 1],
      [1, 1],
    ];
    const asked = [['q'], ['r', 'q'], ['q']].map((outputs, i) => world.ask(i, shapes, { outputs }));
    await world.time.turn();
    expect(world.first.outputs).toEqual(['q', 'r']);
    await world.finish();
    expect(asked.map(({ outcome }) => outcome?.outputs.map(({ name }) => name))).toEqual([['q'], ['r', 'q'], ['q']]);
    expect(asked.map(answersOf)).toEqual([[0], [2, 2], [4]]);
  });
});

describe('an output that has not a row for each row that went in', () => {
  /** Answers the sum of the batch for `total`, whatever its rows. */
  class Summing extends SteppedEngine {
    constructor() {
      super([float('x', -1, 2)], [float('y', -1, 2), float('total', -1)]);
    }
    override answer(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[] {
      const [x] = inputs as [TensorValue];
      const sum = (x.elements as Float32Array).reduce((total, value) => total + value, 0);
      const total: TensorValue = { name: 'total', datatype: 'FP32', shape: [1], elements: Float32Array.of(sum) };
      return super.answer(inputs, outputs).map((output) => (output.name === 'total' ? total : output));
    }
  }

  it('is found at the first batch, after which each request for it runs alone and the others together', async () => {
    const world = new BatchWorld({}, new Summing());
    const asked = [1, 2, 3].map((value) => world.ask(value));
    await world.run();
    expect(world.engine.log).toEqual([3, 1, 1, 1]);
    expect(asked.map(answersOf)).toEqual([
      [2, 2],
      [4, 4],
      [6, 6],
    ]);
    const [y, both, alsoY] = [['y'], ['y', 'total'], ['y']].map((outputs, i) => world.ask(i, undefined, { outputs }));
    await world.run();
    expect(world.engine.log.slice(4)).toEqual([1, 1, 1]);
    expect([y, both, alsoY].map((each) => each && answersOf(each))).toEqual([[0], [2, 2], [4]]);
    for (const value of [1, 2, 3]) world.ask(value, undefined, { outputs: ['y'] });
    await world.run();
    expect(world.engine.log.slice(7)).toEqual([3]);
    expect(world.scheduler.counts().failedRuns).toBe(0);
  });

  it('is found on a single request of several rows too', async () => {
    const world = new BatchWorld({}, new Summing());
    world.ask(1, [[2, 2]]);
    await world.run();
    for (const value of [1, 2]) world.ask(value);
    await world.run();
    expect(world.engine.log).toEqual([2, 1, 1]);
  });
});

describe('an output whose rows depend on each other', () => {
  /** Answers the rows in ascending order: as many as went in, and not theirs. */
  class Sorting extends SteppedEngine {
    override answer(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[] {
      return super.answer(inputs, outputs).map((output) => ({
        ...output,
        elements: (output.elements as Float32Array).toSorted(),
      }));
    }
  }

  it('is found before anybody gets the row of another', async () => {
    const unshared: (readonly string[])[] = [];
    const world = new BatchWorld({}, new Sorting(), { proofs: 2, onUnshared: (outputs) => unshared.push(outputs) });
    const asked = [3, 2, 1].map((value) => world.ask(value));
    await world.run();
    expect(asked.map(answersOf)).toEqual([[6], [4], [2]]);
    expect(world.engine.log, 'the batch, one of its requests, and then each').toEqual([3, 1, 1, 1, 1]);
    expect(unshared).toEqual([['y']]);
    for (const value of [2, 1]) world.ask(value);
    await world.run();
    expect(world.engine.log.slice(5)).toEqual([1, 1]);
  });

  it('is looked for in the first batches only', async () => {
    const world = new BatchWorld({}, new SteppedEngine(), { proofs: 2 });
    for (let i = 0; i < 4; i += 1) {
      const asked = [3, 2, 1].map((value) => world.ask(value + i));
      await world.run();
      expect(asked.map(answersOf)).toEqual([3, 2, 1].map((value) => [2 * (value + i)]));
    }
    expect(world.engine.log).toEqual([3, 1, 3, 1, 3, 3]);
    expect(world.scheduler.counts().runs, 'runs for proof are not for callers').toBe(4);
  });

  it('is not proven by batches of equal requests, which look right in any order', async () => {
    const world = new BatchWorld({}, new Sorting(), { proofs: 2 });
    for (let i = 0; i < 4; i += 1) {
      for (const value of [0, 0]) world.ask(value);
      await world.run();
    }
    expect(world.engine.log, 'two proofs of equal rows').toEqual([2, 1, 2, 1, 2, 2]);
    const asked = [3, 2, 1].map((value) => world.ask(value));
    await world.run();
    expect(asked.map(answersOf)).toEqual([[6], [4], [2]]);
  });

  it('is looked for with a caller who goes meanwhile, and a proof that fails', async () => {
    const world = new BatchWorld({}, new SteppedEngine(), { proofs: 2 });
    const [a, b] = [world.ask(1), world.ask(2)];
    await world.time.turn();
    await world.finish();
    b.submission.cancel();
    await world.fail(new EngineError('ModelFailed', 'no'));
    await world.run();
    expect(answersOf(a)).toEqual([2]);
    await world.scheduler.close();
  });
});
