import { join } from 'node:path';
import { modelSettingsSchema } from '@slipway/crds/serving';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { int64, node, value } from '../../onnx/builders.ts';
import type { OnnxModel } from '../../onnx/model.ts';
import { affine, lookup, mlp, modelArtifact } from '../../test/artifacts.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { openEngine } from '../engine/openEngine.ts';
import { perCoreEngine } from '../engine/perCoreEngine.ts';
import { type Elements, roomFor, sizeOf, type TensorValue } from '../tensor.ts';
import { openScheduler } from './openScheduler.ts';
import type { Outcome } from './scheduler.ts';

const child = { file: new URL('../../test/engineChild.ts', import.meta.url) };

/** Two inputs of two types, one output of each, and a free inner dimension: answers x·2 and the text as it is. */
const mixed: OnnxModel = {
  name: 'mixed',
  inputs: [value('x', 'FP32', [-1, -1]), value('text', 'BYTES', [-1, 1])],
  outputs: [value('twice', 'FP32', [-1, -1]), value('same', 'BYTES', [-1, 1])],
  initializers: [],
  nodes: [node('Add', ['x', 'x'], 'twice'), node('Identity', ['text'], 'same')],
};

/** `total` sums over the whole batch, so it can't be shared. */
const summing: OnnxModel = {
  name: 'summing',
  inputs: [value('x', 'FP32', [-1, 2])],
  outputs: [value('y', 'FP32', [-1, 2]), value('total', 'FP32', [-1])],
  initializers: [int64('one', [1], [1])],
  nodes: [
    node('Neg', ['x'], 'y'),
    node('ReduceSum', ['x'], 'all', { keepdims: { i: 0 } }),
    node('Reshape', ['all', 'one'], 'total'),
  ],
};
/** A softmax over the wrong axis: a row for each that went in, and every one depends on all. */
const company: OnnxModel = {
  name: 'company',
  inputs: [value('x', 'FP32', [-1, 2])],
  outputs: [value('y', 'FP32', [-1, 2])],
  initializers: [],
  nodes: [node('Softmax', ['x'], 'y', { axis: { i: 0 } })],
};

interface Case {
  readonly model: OnnxModel;
  /** One element, by a whole number; `POISON` where the model can fail. */
  readonly element: (n: number, name: string) => number | bigint | string;
  /** Shapes of all inputs for so many rows, of one of two widths. */
  readonly shapes: (rows: number, wide: boolean) => number[][];
}

const floats = (n: number): number => Math.sin(n);
const CASES: Readonly<Record<string, Case>> = {
  affine: { model: affine, element: floats, shapes: (rows) => [[rows, 2]] },
  mlp: { model: mlp([30, 64, 32, 10]), element: floats, shapes: (rows) => [[rows, 30]] },
  'one that fails on some rows': {
    model: lookup,
    element: (n) => BigInt(n % 37 === 0 ? 7 : n % 3),
    shapes: (rows) => [[rows, 1]],
  },
  'text and a free dimension': {
    model: mixed,
    element: (n, name) => (name === 'text' ? `é${n}` : floats(n)),
    shapes: (rows, wide) => [
      [rows, wide ? 5 : 2],
      [rows, 1],
    ],
  },
  'one whose rows depend on each other': { model: company, element: floats, shapes: (rows) => [[rows, 2]] },
  'one with an output of the whole batch': { model: summing, element: floats, shapes: (rows) => [[rows, 2]] },
};

const script = fc.record({
  inline: fc.constantFrom('Auto' as const, 'Never' as const),
  maxSize: fc.integer({ min: 1, max: 16 }),
  instances: fc.integer({ min: 1, max: 3 }),
  asks: fc.array(
    fc.record({
      rows: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(10_000),
      wide: fc.boolean(),
      priority: fc.integer({ min: 0, max: 9 }),
      outputs: fc.nat(),
      /** Ends the turn of the loop after this one. */
      turn: fc.boolean(),
      gone: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { maxLength: 40 },
  ),
});
type Ask = ReturnType<typeof script.generate>['value']['asks'][number];

const failing = 'one that fails on some rows';
/** Each model on the default backend, and one on the other; the last with a run on each of two cores where much waits. */
const RUNS: [what: string, how: 'ffi' | 'node' | 'per core', it: Case][] = [
  ...Object.entries(CASES).map(([what, it]): (typeof RUNS)[number] => [what, 'ffi', it]),
  [failing, 'node', CASES[failing] as Case],
  [failing, 'per core', CASES[failing] as Case],
];

describe.each(RUNS)('batched or not, the same answers: %s (%s)', (_, how, { model, element, shapes }) => {
  let engine: Engine;
  beforeAll(async () => {
    const { directory, digest } = await modelArtifact(model);
    const backend = how === 'node' ? 'node' : 'ffi';
    const open = (threads: number) => {
      const settings = modelSettingsSchema.parse({ engine: { threads, backend } }).engine;
      return openEngine({ path: join(directory, 'model.onnx'), digest, settings, cores: 1, child });
    };
    engine = how === 'per core' ? perCoreEngine(await open(2), await open(1), 2) : await open(1);
  });
  afterAll(() => engine.close());

  const names = (): string[] => engine.signature.outputs.map(({ name }) => name);
  /** One, or all, or all backwards. */
  const chosen = ({ outputs }: Ask): string[] =>
    [names(), names().slice(0, 1), names().toReversed()][outputs % 3] as string[];

  function write(elements: Elements, name: string, seed: number): void {
    for (let i = 0; i < elements.length; i += 1) elements[i] = element(seed + i, name) as never;
  }

  async function alone(ask: Ask): Promise<readonly TensorValue[] | undefined> {
    const inputs = engine.signature.inputs.map(({ name, datatype }, i) => {
      const shape = shapes(ask.rows, ask.wide)[i] as number[];
      const elements = roomFor(datatype, sizeOf(shape));
      write(elements, name, ask.seed);
      return { name, datatype, shape, elements };
    });
    return engine.run(inputs, chosen(ask)).catch((error: unknown) => {
      if (error instanceof EngineError && error.kind === 'ModelFailed') return undefined;
      throw error;
    });
  }

  function same(outcome: Outcome | undefined, expected: readonly TensorValue[] | undefined): void {
    expect(outcome?.outputs.map(({ name, shape }) => ({ name, shape }))).toEqual(
      expected?.map(({ name, shape }) => ({ name, shape })),
    );
    outcome?.outputs.forEach(({ elements }, i) => {
      const wanted = expected?.[i]?.elements ?? [];
      expect(elements).toHaveLength(wanted.length);
      for (let at = 0; at < wanted.length; at += 1) {
        if (typeof wanted[at] === 'number') expect(elements[at]).toBeCloseTo(wanted[at] as number, 5);
        else expect(elements[at]).toBe(wanted[at]);
      }
    });
  }

  it('MLServer#1306, #1312, #1826: for random mixes of rows, shapes, outputs, priorities, cancellations and failures', async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ inline, maxSize, instances, asks }) => {
        const settings = modelSettingsSchema.parse({
          engine: { inline, instances },
          batching: { maxSize, maxQueue: 1000 },
        });
        const scheduler = openScheduler({ engine, settings });
        const answers: Promise<[Ask, EngineError | undefined, Outcome | undefined]>[] = [];
        for (const ask of asks) {
          const lease = scheduler.lease(shapes(ask.rows, ask.wide));
          for (const { name, elements } of lease.inputs) write(elements, name, ask.seed);
          const { promise, resolve } =
            Promise.withResolvers<(typeof answers)[number] extends Promise<infer T> ? T : never>();
          answers.push(promise);
          const order = { outputs: chosen(ask), priority: ask.priority };
          const submission = lease.submit(order, (error, outcome) => resolve([ask, error, outcome]));
          if (ask.turn) await new Promise((next) => setImmediate(next));
          if (ask.gone) submission.cancel();
        }
        for (const [ask, error, outcome] of await Promise.all(answers)) {
          if (error?.kind === 'Cancelled') expect(ask.gone).toBe(true);
          else same(outcome, await alone(ask));
        }
        await scheduler.close();
      }),
    );
  });
});
