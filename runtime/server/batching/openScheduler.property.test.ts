import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testSettings } from '../../test/batchSettings.ts';
import { SteppedEngine } from '../../test/steppedEngine.ts';
import { quiet, VirtualTime } from '../../test/virtualTime.ts';
import { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { openScheduler } from './openScheduler.ts';
import type { Lease, Outcome, Scheduler, Submission } from './scheduler.ts';
import { levelOf } from './waitingLine.ts';

/** Rows with this in front make their run fail. */
const POISON = -1;

interface Asked {
  readonly id: number;
  /** What its rows hold: its id, or 0 as in other requests. */
  readonly value: number;
  readonly rows: number;
  readonly level: number;
  readonly poison: boolean;
  readonly deadline: number | undefined;
  readonly submission: Submission;
  cancelled: boolean;
  readonly ends: { error: EngineError | undefined; outcome: Outcome | undefined }[];
}

type Step =
  | { kind: 'ask'; rows: number; priority: number; patience: number | undefined; poison: boolean; twin: boolean }
  | { kind: 'lease' | 'release' | 'turn' | 'finish' | 'lose' }
  | { kind: 'cancel'; which: number }
  | { kind: 'pass'; ms: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      rows: fc.integer({ min: 1, max: 6 }),
      priority: fc.constantFrom(0, 0, 0, 1, 5, 9),
      patience: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
      poison: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      twin: fc.boolean(),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'turn' as const,
        'turn' as const,
        'finish' as const,
        'finish' as const,
        'lease' as const,
        'release' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
);

const settings = fc.record({
  maxSize: fc.constantFrom(1, 2, 3, 4, 8),
  maxQueue: fc.constantFrom(0, 1, 3, 5, 30),
  instances: fc.integer({ min: 1, max: 2 }),
  maxDelayMs: fc.constantFrom(0, 0, 5),
  preferredSizes: fc.constantFrom([], [2], [3]),
  cores: fc.constantFrom(0, 2),
  here: fc.boolean(),
  singleFlight: fc.boolean(),
  proofs: fc.constantFrom(0, 2),
});

/** One scheduler, everything that was asked of it, and every order the engine was given. */
class World {
  readonly time = new VirtualTime();
  readonly engine = new SteppedEngine();
  readonly scheduler: Scheduler;
  readonly asked: Asked[] = [];
  readonly leases: Lease[] = [];
  readonly started: number[] = [];
  readonly #bounds: { maxQueue: number; instances: number };

  constructor({
    cores,
    here,
    proofs,
    ...batching
  }: { maxQueue: number; instances: number; cores: number; here: boolean; singleFlight: boolean; proofs: number }) {
    this.#bounds = { ...batching, instances: Math.max(batching.instances, cores) };
    if (cores > 0) this.engine.perCore = cores;
    const run = this.engine.run.bind(this.engine);
    this.engine.run = (inputs, ...rest) => {
      this.#note(inputs);
      return run(inputs, ...rest);
    };
    if (here) this.engine.runHere = (inputs, outputs) => this.#runHere(inputs, outputs);
    this.scheduler = openScheduler({
      engine: this.engine,
      settings: testSettings(batching),
      surroundings: this.time,
      proofs,
    });
  }

  #note(inputs: readonly TensorValue[]): void {
    const { elements, shape } = inputs[0] as TensorValue;
    for (let row = 0; row < (shape[0] as number); row += 1) this.started.push(elements[row * 2 + 1] as number);
  }

  #runHere(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[] {
    this.#note(inputs);
    if (poisoned(inputs)) throw new EngineError('ModelFailed', 'poison');
    return this.engine.answer(inputs, outputs);
  }

  ask({ rows, priority, patience, poison, twin }: Extract<Step, { kind: 'ask' }>): void {
    const lease = this.scheduler.lease([[rows, 2]]);
    const id = this.asked.length;
    const value = twin ? 0 : id;
    const { elements } = lease.inputs[0] as TensorValue;
    for (let row = 0; row < rows; row += 1) {
      elements[row * 2] = poison ? POISON : row;
      elements[row * 2 + 1] = value;
    }
    const ends: Asked['ends'] = [];
    const deadline = patience === undefined ? undefined : this.time.now() + patience;
    const order = { outputs: ['y'], priority, ...(deadline === undefined ? {} : { deadline }) };
    const submission = lease.submit(order, (error, outcome) => ends.push({ error, outcome }));
    expect(ends, 'nothing is answered before submit returns').toEqual([]);
    this.asked.push({
      id,
      value,
      rows,
      level: levelOf(priority),
      poison,
      deadline,
      submission,
      cancelled: false,
      ends,
    });
  }

  finish(): void {
    const [run] = this.engine.runs;
    if (run === undefined) return;
    if (poisoned(run.inputs)) run.fail(new EngineError('ModelFailed', 'poison'));
    else run.finish();
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'ask') this.ask(step);
    if (step.kind === 'lease') this.leases.push(this.scheduler.lease([[2, 2]]));
    if (step.kind === 'release') this.leases.shift()?.release();
    if (step.kind === 'turn') await this.time.turn();
    if (step.kind === 'finish') this.finish();
    if (step.kind === 'lose') this.engine.runs[0]?.fail(new EngineError('EngineLost', 'gone'));
    if (step.kind === 'pass') await this.time.advance(step.ms);
    if (step.kind === 'cancel') this.cancel(step.which);
    await quiet();
    this.check(step.kind === 'turn');
  }

  cancel(which: number): void {
    const asked = this.asked[which % Math.max(1, this.asked.length)];
    if (asked === undefined) return;
    if (asked.ends.length === 0) asked.cancelled = true;
    asked.submission.cancel();
  }

  check(afterTurn: boolean): void {
    const { waiting, running } = this.scheduler.counts();
    expect(running).toBeLessThanOrEqual(this.#bounds.instances);
    expect(this.engine.most).toBeLessThanOrEqual(this.#bounds.instances);
    const busy = running === this.#bounds.instances;
    if (afterTurn && busy) expect(waiting).toBeLessThanOrEqual(this.#bounds.maxQueue + owedAtMost(this.asked));
    for (const { ends } of this.asked) expect(ends.length).toBeLessThanOrEqual(1);
  }

  /** Ends everything. */
  async drain(): Promise<void> {
    for (const lease of this.leases.splice(0)) lease.release();
    const closed = this.scheduler.close();
    for (let i = 0; i < 1000 && this.scheduler.counts().waiting + this.scheduler.counts().running > 0; i += 1) {
      await this.time.turn();
      this.finish();
      await quiet();
    }
    await closed;
  }
}

const poisoned = (inputs: readonly TensorValue[]): boolean =>
  (inputs[0] as TensorValue).elements.some((value: unknown, i: number) => i % 2 === 0 && value === POISON);

/** Members of failed runs wait again, beside what the queue may hold. */
const owedAtMost = (asked: readonly Asked[]): number => asked.filter(({ ends }) => ends.length === 0).length && 8;

function checkEnd({ id, value, rows, poison, deadline, cancelled, ends }: Asked): void {
  expect(ends, `request ${id} is answered once`).toHaveLength(1);
  const { error, outcome } = ends[0] as Asked['ends'][number];
  if (outcome !== undefined) {
    const [output] = outcome.outputs as [TensorValue];
    expect(output.shape).toEqual([rows, 2]);
    expect([...output.elements]).toEqual(Array.from({ length: rows * 2 }, (_, i) => (i % 2 ? 2 * value : i)));
    return;
  }
  const allowed = ['Overloaded', 'EngineLost'];
  if (poison) allowed.push('ModelFailed');
  if (deadline !== undefined) allowed.push('TooLate');
  if (cancelled) allowed.push('Cancelled');
  expect(allowed, `request ${id}`).toContain(error?.kind);
}

it('triton#5783, #6796: answers every request once, with its own rows, within its bounds, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.array(steps, { maxLength: 60 }), async (batching, script) => {
      const world = new World(batching);
      for (const step of script) await world.step(step);
      await world.drain();
      world.asked.forEach(checkEnd);
    }),
  );
});

it('runs requests of one priority in the order they came', async () => {
  const calm = steps
    .filter(({ kind }) => kind === 'ask' || kind === 'turn' || kind === 'finish')
    .map((step) => (step.kind === 'ask' ? { ...step, patience: undefined, poison: false, twin: false } : step));
  await fc.assert(
    fc.asyncProperty(settings, fc.array(calm, { maxLength: 60 }), async (batching, script) => {
      const world = new World(batching);
      for (const step of script) await world.step(step);
      await world.drain();
      const order = [...new Set(world.started)];
      for (const level of new Set(world.asked.map((asked) => asked.level))) {
        const ids = order.filter((id) => world.asked[id]?.level === level);
        expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      }
    }),
  );
});
