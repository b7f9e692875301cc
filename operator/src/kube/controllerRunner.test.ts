import { expect, test } from 'vitest';
import { SteppedClock, settle } from '../../test/clock.ts';
import { ControllerRunner } from './controllerRunner.ts';
import { type PassResult, silentLog, silentMeter } from './observe.ts';
import { again, type Outcome, settled, TerminalError } from './outcome.ts';
import type { Key } from './resource.ts';

const key: Key = { namespace: 'n', name: 'a' };

function runWith(
  reconcile: (key: Key, signal: AbortSignal) => Promise<Outcome>,
  options: { workers?: number; longestWaitMs?: number } = {},
) {
  const clock = new SteppedClock();
  const results: PassResult[] = [];
  const meter = { ...silentMeter, pass: (_: string, result: PassResult) => void results.push(result) };
  const runner = new ControllerRunner({ name: 'test', clock, random: () => 1, meter, log: silentLog, ...options });
  return { clock, results, runner, running: runner.run({ reconcile }) };
}

test('a settled object is left alone until something happens', async () => {
  const { clock, results, runner } = runWith(async () => settled);
  runner.enqueue(key);
  await clock.step(3600_000);
  expect(results).toEqual(['settled']);
});

test('"again" comes back after the time it named', async () => {
  const { clock, results, runner } = runWith(async () => again(1_000, 'pods are starting'));
  runner.enqueue(key);
  await clock.step(2_500);
  expect(results).toEqual(['again', 'again', 'again']);
});

test('a failing pass is tried again after 5, 10, 20 ms ... up to a minute, and a success starts anew', async () => {
  let failing = true;
  const at: number[] = [];
  const { clock, runner, results } = runWith(async () => {
    at.push(clock.now().getTime());
    if (failing) throw new Error('no');
    return settled;
  });
  runner.enqueue(key);
  await clock.step(10 * 60_000);
  const gaps = at.slice(1).map((t, i) => t - (at[i] ?? 0));
  expect(gaps.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
  expect(gaps.at(-1)).toBe(60_000);
  failing = false;
  runner.enqueue(key);
  await settle();
  expect(results.at(-1)).toBe('settled');
  failing = true;
  at.length = 0;
  runner.enqueue(key);
  await clock.step(5);
  expect(at.length).toBe(2);
});

test('a controller says itself how long it waits at most', async () => {
  const at: number[] = [];
  const failing = async (): Promise<Outcome> => {
    at.push(clock.now().getTime());
    throw new Error('no');
  };
  const { clock, runner } = runWith(failing, { longestWaitMs: 5_000 });
  runner.enqueue(key);
  await clock.step(10 * 60_000);
  expect((at.at(-1) ?? 0) - (at.at(-2) ?? 0)).toBe(5_000);
});

test('a reconciler that throws before it returns a promise is a failed pass like any other', async () => {
  const { results, runner } = runWith(() => {
    throw new Error('sync');
  });
  runner.enqueue(key);
  await settle();
  expect(results[0]).toBe('error');
});

test('a terminal error is not tried again until something happens', async () => {
  const { clock, results, runner } = runWith(async () => {
    throw new TerminalError('InvalidSpec', 'write it differently');
  });
  runner.enqueue(key);
  await clock.step(3600_000);
  expect(results).toEqual(['terminal']);
});

test('passes over one object never overlap, over several they do', async () => {
  let open = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const { runner } = runWith(async () => {
    most = Math.max(most, ++open);
    await new Promise<void>((resolve) => finish.push(resolve));
    open -= 1;
    return settled;
  });
  for (let i = 0; i < 5; i++) runner.enqueue(key);
  await settle();
  expect(most).toBe(1);
  for (let i = 0; i < 9; i++) runner.enqueue({ ...key, name: `b${i}` });
  await settle();
  expect(most).toBe(4);
  for (let i = 0; i < 20; i++) {
    for (const end of finish.splice(0)) end();
    await settle();
  }
  expect(open).toBe(0);
});

test('close lets the pass under way end and starts no other; abort tells it to hurry', async () => {
  let aborted = false;
  const { runner, running, results } = runWith(
    (_, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve(settled);
        }),
      ),
    { workers: 1 },
  );
  runner.enqueue(key);
  runner.enqueue({ ...key, name: 'b' });
  await settle();
  runner.close();
  await settle();
  expect(aborted).toBe(false);
  runner.abort();
  await running;
  expect([aborted, results]).toEqual([true, ['settled']]);
});
