import { describe, expect, it } from 'vitest';
import { type Asked, answersOf, BatchWorld, rowsOf } from '../../test/batchWorld.ts';
import { SteppedEngine } from '../../test/steppedEngine.ts';
import { quiet } from '../../test/virtualTime.ts';
import { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { answerOf } from './scheduler.ts';

const kinds = (asked: readonly Asked[]) => asked.map(({ error }) => error?.kind);
const poison = new EngineError('ModelFailed', 'no such category');
const lost = new EngineError('EngineLost', 'the process died');

describe('a caller who goes', () => {
  it('takes a queued request along, and its room', async () => {
    const world = new BatchWorld();
    const asked = world.ask(1);
    asked.submission.cancel();
    asked.submission.cancel();
    expect(asked.error?.kind).toBe('Cancelled');
    await world.run();
    expect(world.engine.log).toEqual([]);
    expect(world.scheduler.counts()).toMatchObject({ waiting: 0, cancelledQueued: 1, cancelledRunning: 0 });
    await world.scheduler.close();
  });

  it('triton#8030: ends a run only when all its members have gone', async () => {
    const world = new BatchWorld();
    const [a, b] = [world.ask(1), world.ask(2)];
    await world.time.turn();
    const { signal } = world.first;
    a.submission.cancel();
    expect([a.error?.kind, signal?.aborted]).toEqual(['Cancelled', false]);
    b.submission.cancel();
    await quiet();
    expect([b.error?.kind, signal?.aborted]).toEqual(['Cancelled', true]);
    expect(world.scheduler.counts()).toMatchObject({ running: 0, cancelledRunning: 2, failedRuns: 0 });
    const next = world.ask(3);
    await world.run();
    expect(answersOf(next)).toEqual([6]);
  });

  it('leaves the answers of the others right', async () => {
    const world = new BatchWorld();
    const [a, b, c] = [world.ask(1), world.ask(2), world.ask(3)];
    await world.time.turn();
    b.submission.cancel();
    await world.run();
    expect([a, c].map(answersOf)).toEqual([[2], [6]]);
  });

  it('after the answer changes nothing', async () => {
    const world = new BatchWorld();
    const asked = world.ask(1);
    await world.run();
    asked.submission.cancel();
    expect(asked.error).toBeUndefined();
    expect(world.scheduler.counts().cancelledRunning).toBe(0);
  });
});

describe('a run that fails', () => {
  /** Ends every run: fails those that hold a poisoned row. */
  async function runAll(world: BatchWorld, poisoned: ReadonlySet<number>): Promise<void> {
    await world.time.turn();
    while (world.engine.runs.length > 0) {
      const rows = rowsOf(world.first.inputs[0] as TensorValue);
      if (rows.some((row) => poisoned.has(row as number))) await world.fail(poison);
      else await world.finish();
    }
  }

  it.each([
    { size: 32, poisoned: [5], most: 10 },
    { size: 32, poisoned: [0, 31], most: 20 },
    { size: 7, poisoned: [6], most: 6 },
    { size: 4, poisoned: [0, 1, 2, 3], most: 6 },
    { size: 1, poisoned: [0], most: 0 },
  ])('of $size requests is halved until only the guilty fail: $poisoned', async ({ size, poisoned, most }) => {
    const world = new BatchWorld();
    const asked = Array.from({ length: size }, (_, i) => world.ask(i));
    await runAll(world, new Set(poisoned));
    asked.forEach((each, i) => {
      if (poisoned.includes(i)) expect(each.error?.kind).toBe('ModelFailed');
      else expect(answersOf(each)).toEqual([2 * i]);
    });
    expect(world.engine.log.length - 1).toBeLessThanOrEqual(most);
    const { failedRuns, runs } = world.scheduler.counts();
    expect(failedRuns + runs).toBe(world.engine.log.length);
    expect(failedRuns).toBeGreaterThanOrEqual(poisoned.length);
  });

  it('is run again for the one who still waits, since the guilty may have gone', async () => {
    const world = new BatchWorld();
    const [guilty, innocent] = [world.ask(1), world.ask(2)];
    await world.time.turn();
    guilty.submission.cancel();
    await world.fail(poison);
    await world.finish();
    expect(answersOf(innocent)).toEqual([4]);
  });

  it('because the engine was lost is run again one by one, and who loses it twice fails alone', async () => {
    const world = new BatchWorld();
    const asked = [1, 2, 3].map((value) => world.ask(value));
    await world.time.turn();
    await world.fail(lost);
    await world.finish();
    await world.fail(lost);
    await world.finish();
    expect(world.engine.log).toEqual([3, 1, 1, 1]);
    expect(kinds(asked)).toEqual([undefined, 'EngineLost', undefined]);
    expect([asked[0], asked[2]].map((each) => answersOf(each as Asked))).toEqual([[2], [6]]);
  });

  it('waits while the lost engine is being replaced, and starts when it is back', async () => {
    const world = new BatchWorld();
    const asked = world.ask(1);
    await world.time.turn();
    world.engine.healthy = false;
    await world.fail(lost);
    await world.time.advance(500);
    expect(world.engine.runs).toHaveLength(0);
    world.engine.healthy = true;
    await world.time.advance(50);
    await world.finish();
    expect(answersOf(asked)).toEqual([2]);
  });

  it('fails after ten seconds without an engine', async () => {
    const world = new BatchWorld();
    world.engine.healthy = false;
    const asked = world.ask(1);
    await world.time.turn();
    await world.time.advance(10_100);
    expect(asked.error?.kind).toBe('EngineLost');
  });

  it('for a reason of nobody is told to all', async () => {
    const world = new BatchWorld();
    const asked = [world.ask(1), world.ask(2)];
    await world.time.turn();
    await world.fail(new EngineError('Closing', 'the model is being unloaded'));
    expect(kinds(asked)).toEqual(['Closing', 'Closing']);
  });

  it('with an error of another kind counts as the model that failed', async () => {
    const world = new BatchWorld();
    const asked = world.ask(1);
    await world.time.turn();
    await world.fail(new TypeError('not a function'));
    expect(asked.error).toMatchObject({ kind: 'ModelFailed', message: 'not a function' });
  });

  it('does not run those again who have gone meanwhile', async () => {
    const world = new BatchWorld();
    const asked = [1, 2, 3, 4].map((value) => world.ask(value));
    await world.time.turn();
    asked[2]?.submission.cancel();
    await world.fail(poison);
    asked[3]?.submission.cancel();
    await world.finish();
    expect(world.engine.log).toEqual([4, 2]);
    expect(kinds(asked)).toEqual([undefined, undefined, 'Cancelled', 'Cancelled']);
    await world.scheduler.close();
  });
});

describe('runs on the calling thread', () => {
  class HereEngine extends SteppedEngine {
    took = 0.01;
    here = 0;
    world: BatchWorld | undefined;
    override runHere = (inputs: readonly TensorValue[], outputs: readonly string[]) => {
      this.here += 1;
      this.world?.time.spend(this.took);
      return this.answer(inputs, outputs);
    };
  }

  async function open(inline: 'Auto' | 'Never' = 'Auto') {
    const stopped: number[] = [];
    const engine = new HereEngine();
    const world = new BatchWorld({ inline }, engine, { inlineBelowMs: 0.1, onInlineStopped: (ms) => stopped.push(ms) });
    engine.world = world;
    const first = world.ask(1);
    await world.time.turn();
    expect(engine.here, 'until a run elsewhere was short').toBe(0);
    world.time.spend(0.05);
    await world.finish();
    expect(answersOf(first)).toEqual([2]);
    return { world, engine, stopped };
  }

  it('happen at the end of the turn, all requests of the turn together', async () => {
    const { world, engine } = await open();
    const asked = [1, 2, 3].map((value) => world.ask(value));
    await world.time.turn();
    expect(engine.here).toBe(1);
    expect(asked.map(answersOf)).toEqual([[2], [4], [6]]);
    expect(asked[0]?.outcome?.computeMs).toBeCloseTo(0.01, 9);
  });

  it('are halved too when they fail', async () => {
    const { world, engine } = await open();
    const run = engine.runHere;
    engine.runHere = (inputs, outputs) => {
      if (rowsOf(inputs[0] as TensorValue).includes(2)) throw poison;
      return run(inputs, outputs);
    };
    const asked = [1, 2, 3, 4].map((value) => world.ask(value));
    for (let i = 0; i < 8; i += 1) await world.time.turn();
    expect(kinds(asked)).toEqual([undefined, 'ModelFailed', undefined, undefined]);
  });

  it('end for a while, and that is reported, when they take long again and again', async () => {
    const { world, engine, stopped } = await open();
    const ask = async (times: number): Promise<number> => {
      const before = engine.here;
      for (let i = 0; i < times; i += 1) {
        world.ask(i);
        await world.run();
      }
      return engine.here - before;
    };
    expect(await ask(20)).toBe(20);
    engine.took = 30;
    expect(await ask(6)).toBe(4);
    expect(stopped).toEqual([expect.closeTo(30, 6)]);
    engine.took = 0.01;
    expect(await ask(2)).toBe(0);
    await world.time.advance(1001);
    expect(await ask(2)).toBe(2);
  });

  it('never happen where settings say so', async () => {
    const { world, engine } = await open('Never');
    world.ask(1);
    await world.run();
    expect(engine.here).toBe(0);
  });

  it('leave what callbacks ask to the next turn', async () => {
    const { world, engine } = await open();
    let again = 0;
    const ask = (): void => {
      world.scheduler.lease([[1, 2]]).submit({ outputs: ['y'] }, () => {
        again += 1;
        if (again < 3) ask();
      });
    };
    ask();
    for (const runs of [1, 2, 3]) {
      await world.time.turn();
      expect(engine.here).toBe(runs);
    }
  });
});

describe('a scheduler', () => {
  it('shows each run to its observer with all rows, before their memory is used again', async () => {
    const seen: unknown[] = [];
    const observer = {
      ran: (inputs: readonly TensorValue[], outputs: readonly TensorValue[], rows: number) =>
        seen.push([rowsOf(inputs[0] as TensorValue), rowsOf(outputs[0] as TensorValue), rows]),
    };
    const world = new BatchWorld({}, new SteppedEngine(), { observer });
    for (const value of [1, 2]) world.ask(value);
    await world.time.turn();
    world.ask(3);
    await world.run();
    expect(seen).toEqual([
      [[1, 2], [2, 4], 2],
      [[3], [6], 1],
    ]);
  });

  it('refuses what the engine finds wrong with the contents, before it waits', async () => {
    class Checking extends SteppedEngine {
      check(inputs: readonly TensorValue[]): void {
        if (inputs[0]?.elements[0] === 1) throw new EngineError('InvalidInput', 'The text is too long.');
      }
    }
    const world = new BatchWorld({}, new Checking());
    const asked = [world.ask(1), world.ask(2)];
    await world.run();
    expect(kinds(asked)).toEqual(['InvalidInput', undefined]);
    expect(world.engine.log).toEqual([1]);
  });

  it('refuses an output that the model does not have', async () => {
    const world = new BatchWorld();
    const asked = world.ask(1, undefined, { outputs: ['z'] });
    await quiet();
    expect(asked.error).toMatchObject({ kind: 'InvalidInput', message: 'There is no output "z"; ask for y.' });
  });

  it('drains: takes nothing new, answers what was taken, leases included', async () => {
    const world = new BatchWorld({ maxDelayMs: 1000 });
    const waiting = world.ask(1);
    const lease = world.scheduler.lease([[1, 2]]);
    let closed = false;
    const closing = world.scheduler.close().then(() => {
      closed = true;
    });
    expect(() => world.scheduler.lease([[1, 2]])).toThrow('The model is being unloaded.');
    await world.run();
    expect([answersOf(waiting), closed]).toEqual([[2], false]);
    const leased = world.submit(lease, 2);
    await world.run();
    await closing;
    expect(answersOf(leased)).toEqual([4]);
    expect(world.time.timers).toBe(0);
  });

  it('takes a lease back that was not needed, once', async () => {
    const world = new BatchWorld();
    const lease = world.scheduler.lease([[1, 2]]);
    lease.release();
    expect(() => lease.release()).toThrow('once');
    expect(() => lease.submit({ outputs: ['y'] }, () => {})).toThrow('once');
    await world.scheduler.close();
  });

  it('counts runs and rows, by the size of the batch', async () => {
    const world = new BatchWorld({ maxSize: 4 });
    for (const rows of [1, 1, 9]) world.ask(0, [[rows, 2]]);
    await world.run();
    const { runs, rows, runsByRows } = world.scheduler.counts();
    expect({ runs, rows, sizes: [...runsByRows.keys()] }).toEqual({ runs: 2, rows: 11, sizes: [2, 16] });
  });

  it('answers as a promise, where asked to', async () => {
    const world = new BatchWorld();
    const lease = world.scheduler.lease([[1, 2]]);
    const answer = answerOf(lease, { outputs: ['y'] });
    await world.run();
    await expect(answer).resolves.toMatchObject({ batchRows: 1 });
    const wrong = answerOf(world.scheduler.lease([[1, 2]]), { outputs: ['z'] });
    await expect(wrong).rejects.toThrow('There is no output "z"');
  });
});
