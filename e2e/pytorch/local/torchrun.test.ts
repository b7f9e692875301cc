import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { progressSchema } from '@slipway/crds/contract';
import { ensureTorchEnvironment } from '@slipway/hack/local-cluster/python/wheels.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { runEvaluator } from '@slipway/runtime/evaluator/run.ts';
import { linkLatest } from '@slipway/runtime/prepare/checkpoints.ts';
import { startServer } from '@slipway/runtime/test/serverProcess.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { kill, type Rank, sampleJob, startAttempt } from './rank.ts';

let python: string;
beforeAll(async () => {
  python = join(await ensureTorchEnvironment((line) => console.error(line)), 'python');
});

let ranks: readonly Rank[] = [];
afterEach(() => {
  for (const rank of ranks) kill(rank, 'SIGKILL');
});

const QUICK = { rows: '20000', evaluationRows: '2000', epochs: '2', checkpointEvery: '10' };

async function start(parameters: Record<string, string>, attempt: number, root: string): Promise<readonly Rank[]> {
  ranks = await startAttempt(python, await sampleJob({ ...QUICK, ...parameters }), attempt, root);
  return ranks;
}

const progressOf = async ({ statusDir }: Rank) =>
  progressSchema.parse(JSON.parse(await readFile(join(statusDir, 'progress.json'), 'utf8')));

const around = (env: Record<string, string>) => {
  const complaints: string[] = [];
  return { complaints, env, now: Date.now, say: () => undefined, complain: (line: string) => complaints.push(line) };
};

const checkpointsIn = async (root: string): Promise<number[]> =>
  (await readdir(join(root, 'checkpoints')))
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

test('two ranks under torchrun train one model, which is published, verified and served with the answers of torch', async () => {
  const root = await temporaryFolder('torchrun');
  const [first, second] = await start({}, 0, root);
  const ends = await Promise.all([first, second].map((rank) => rank?.ended));
  for (const end of ends) expect(end?.exit, end?.log).toBe(0);
  expect(ends.map((end) => /rank (\d) of 2 begins at step 0/.exec(end?.log ?? '')?.[1])).toEqual(['0', '1']);
  const progress = await progressOf(first as Rank);
  expect(progress).toMatchObject({ step: 38, total: 38 });
  expect(progress.metrics?.['loss']).toBeLessThan(0.6);

  const published = around({
    SLIPWAY_OUTPUT_DIR: join(root, 'output'),
    SLIPWAY_INPUT_DIR: join(root, 'input'),
    SLIPWAY_CLAIMS_DIR: join(root, 'claims'),
    SLIPWAY_STORE: '{"uri":"pvc://models"}',
    SLIPWAY_MODEL_NAME: 'flights-torch',
    SLIPWAY_TERMINATION_LOG: join(root, 'published'),
  });
  expect(await runEvaluator('publish', published), published.complaints.join()).toBe(0);
  const report = JSON.parse(await readFile(join(root, 'published'), 'utf8'));
  const verified = around({
    SLIPWAY_ARTIFACT: JSON.stringify({ uri: report.uri }),
    SLIPWAY_CLAIMS_DIR: join(root, 'claims'),
    SLIPWAY_SCRATCH_DIR: join(root, 'scratch'),
    SLIPWAY_MODEL_DIGEST: report.digest,
    SLIPWAY_GATES: JSON.stringify((await sampleJob()).spec.gates?.map((gate) => ({ ...gate, min: gate.min && '0.5' }))),
    SLIPWAY_TERMINATION_LOG: join(root, 'verified'),
  });
  expect(await runEvaluator('verify', verified), verified.complaints.join()).toBe(0);
  const { gates, signature } = JSON.parse(await readFile(join(root, 'verified'), 'utf8'));
  expect(gates.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict])).toEqual([
    ['ranking', 'Pass'],
    ['calibration', 'Pass'],
  ]);
  expect(signature.outputs).toMatchObject([{ name: 'probability', shape: [-1, 1] }]);

  const directory = report.uri.replace('pvc://', `${join(root, 'claims')}/`);
  const server = await startServer({ directory, digest: report.digest });
  await server.logged('ready');
  try {
    for (const line of (await readFile(join(root, 'output', 'golden.jsonl'), 'utf8')).trim().split('\n')) {
      const { inputs, outputs } = JSON.parse(line);
      const response = await server.fetch('rest', '/v2/models/flights/infer', {
        method: 'POST',
        body: JSON.stringify({ inputs }),
      });
      const answer = (await response.json()) as { outputs: { data: number[] }[] };
      answer.outputs[0]?.data.forEach((value, i) => {
        expect(Math.abs(value - outputs[0].data[i])).toBeLessThan(1e-4);
      });
      expect(answer.outputs[0]?.data).toHaveLength(4);
    }
  } finally {
    await server.kill();
  }
});

test('kubeflow/trainer#1579: a rank that dies ends the other, and the next attempt goes on from the checkpoint', async () => {
  const root = await temporaryFolder('killed');
  const [first, second] = await start({ pause: '0.1' }, 0, root);
  await until(async () => ((await checkpointsIn(root)).length > 0 ? true : undefined), {
    what: 'a checkpoint',
    timeoutMs: 120_000,
    everyMs: 100,
  });
  kill(second as Rank, 'SIGKILL');
  const end = await (first as Rank).ended;
  expect(end.exit).not.toBe(0);
  const kept = (await checkpointsIn(root)).at(-1) ?? 0;
  expect(await linkLatest(join(root, 'checkpoints'))).toBe(String(kept));
  const again = await start({}, 1, root);
  const logs = await Promise.all(again.map(({ ended }) => ended));
  for (const { exit, log } of logs) {
    expect(exit, log).toBe(0);
    expect(log).toContain(`begins at step ${kept} with`);
  }
  expect(await progressOf(again[0] as Rank)).toMatchObject({ step: 38, total: 38 });
});

test('a rank that is asked to stop makes all stop at one step, which is kept', async () => {
  const root = await temporaryFolder('stopped');
  const [first, second] = await start({ pause: '0.1', checkpointEvery: '1000' }, 0, root);
  await until(() => progressOf(first as Rank).catch(() => undefined), {
    what: 'progress',
    timeoutMs: 120_000,
    everyMs: 100,
  });
  kill(second as Rank, 'SIGTERM');
  const ends = await Promise.all([first, second].map((rank) => rank?.ended));
  for (const end of ends) expect(end?.exit).not.toBe(0);
  const [kept, ...others] = await checkpointsIn(root);
  expect([others, (await readdir(join(root, 'checkpoints', String(kept)))).sort()]).toEqual([
    [],
    ['_COMPLETE', 'state.pt'],
  ]);
});
