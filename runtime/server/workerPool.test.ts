import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { modelArtifact, slow } from '../test/artifacts.ts';
import type { TensorValue } from './engine.ts';
import { readModelDirectory } from './modelDirectory.ts';
import { WorkerPool } from './workerPool.ts';

const FRAGILE = new URL('../test/fragileWorker.ts', import.meta.url);
const REAL = new URL('./main.ts', import.meta.url);

const input = (x: number): readonly TensorValue[] => [
  { name: 'x', datatype: 'FP32', shape: [1], elements: Float32Array.of(x) },
];

async function start(workers: number, maxQueue = 8, entry = FRAGILE, files = { path: '', golden: [] as never[] }) {
  const losses: unknown[] = [];
  const pool = await WorkerPool.start({
    entry,
    model: { files, threads: 1 },
    workers,
    maxQueue,
    replaceAfterMs: 20,
    onLoss: (error) => losses.push(error),
  });
  onTestFinished(() => pool.close());
  return { pool, losses };
}

describe('a pool of engine threads', () => {
  test('answers more requests than it has threads, each with its own answer', async () => {
    const { pool } = await start(2, 100);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.infer(input(i), ['x'])));
    expect(answers.map(([tensor]) => tensor?.elements[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test('refuses what would wait behind a full queue', async () => {
    const { pool } = await start(1, 1);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((x) => pool.infer(input(x), ['x'])));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(outcomes[2]).toMatchObject({ reason: { kind: 'Overloaded' } });
  });

  test.each([
    ['ends', -1, 'an engine thread ended unasked'],
    ['throws', -2, 'the thread fell over'],
  ])('a thread that %s fails its own request only and is replaced', async (_what, poison, cause) => {
    const { pool, losses } = await start(1);
    const [poisoned, waiting] = await Promise.allSettled([
      pool.infer(input(poison), ['x']),
      pool.infer(input(5), ['x']),
    ]);
    expect(poisoned).toMatchObject({ status: 'rejected', reason: { kind: 'WorkerLost' } });
    expect(waiting).toMatchObject({ status: 'fulfilled' });
    expect(losses).toEqual([expect.objectContaining({ message: cause })]);
    expect(pool.healthy).toBe(true);
  });

  test('is not healthy while its only thread is being replaced', async () => {
    const { pool } = await start(1);
    await expect(pool.infer(input(-1), ['x'])).rejects.toThrow();
    await vi.waitFor(() => expect(pool.healthy).toBe(false), { interval: 1 });
    await vi.waitFor(() => expect(pool.healthy).toBe(true), { timeout: 10_000 });
  });

  test('keeps the calling thread free while a model computes', async () => {
    const { directory } = await modelArtifact(slow);
    const files = { ...(await readModelDirectory(directory)), golden: [] };
    const { pool } = await start(1, 8, REAL, files);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const [y] = await pool.infer(input(1), ['y']);
    clearInterval(timer);
    expect(y).toMatchObject({ shape: [], elements: Float32Array.of(0) });
    expect(ticks).toBeGreaterThan(5);
  });
});
