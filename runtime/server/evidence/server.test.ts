import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ADMIN_PATHS,
  BASELINE_SCHEMA,
  type Baseline,
  FEEDBACK_PATH,
  METRICS,
  type Summarised,
} from '@slipway/crds/contract';
import parse from 'parse-prometheus-text-format';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../onnx/model.ts';
import { affine, writeArtifact } from '../../test/artifacts.ts';
import { ADMIN, type ServerProcess, startFolder, startServer } from '../../test/serverProcess.ts';

const EDGES = [-0.5, 0.1, 0.5];
const feature = (name: string, index: number): Summarised => ({
  name,
  tensor: 'x',
  index,
  kind: 'numeric',
  count: 100,
  min: -1,
  max: 0.9,
  mean: 0,
  m2: 33,
  bins: { edges: EDGES, counts: [25, 25, 25, 25] },
});
const baseline: Baseline = {
  schema: BASELINE_SCHEMA,
  features: [feature('first', 0), feature('second', 1)],
  predictions: [{ ...feature('answer', 0), tensor: 'y', min: -10, max: 10 } as Summarised],
};
/** y = 2·x0 − 3·x1 + 0.5 for each row. */
const answerOf = ([first, second]: readonly [number, number]) => 2 * first - 3 * second + 0.5;

/** Rows of each request: values on edges, beyond what training had, and between. */
const REQUESTS: readonly (readonly (readonly [number, number])[])[] = Array.from({ length: 90 }, (_, request) =>
  Array.from({ length: 1 + (request % 4) }, (_, row) => {
    const at = request * 7 + row * 3;
    return [[-0.5, 0.1, 0.5, 1.5, -0.25][at % 5] as number, Math.fround(Math.sin(at))] as const;
  }),
);

const countedBy = (values: readonly number[]) => {
  const edges = EDGES.map(Math.fround);
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const bin = edges.filter((edge) => Math.fround(value) > edge).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
};

describe('a server whose model has a baseline', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const files = { 'model.onnx': encodeModel(affine), 'baseline.json': JSON.stringify(baseline) };
    const artifact = await writeArtifact(files);
    server = await startServer(artifact);
    await server.logged('ready');
    await rm(join(artifact.directory, 'baseline.json')); // as it is after a new version was laid over the old one
  });
  afterAll(() => server.kill());

  const ask = async (rows: readonly (readonly number[])[], id?: string) => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [rows.length, 2], data: rows.flat() }];
    const body = JSON.stringify({ ...(id ? { id } : {}), inputs });
    const response = await server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body });
    expect(response.status).toBe(200);
    return (await response.json()) as { outputs: [{ data: number[] }] };
  };
  const label = async (id: string, value: number) => {
    const body = JSON.stringify({ id, label: value });
    return (await server.fetch('rest', FEEDBACK_PATH, { method: 'POST', body })).status;
  };

  test('gives the baseline it counts against, whatever the folder holds by now', async () => {
    const answer = await server.fetch('admin', ADMIN_PATHS.baseline, { headers: ADMIN });
    expect([answer.status, await answer.json()]).toEqual([200, baseline]);
    expect((await server.fetch('admin', ADMIN_PATHS.baseline)).status).toBe(401);
  });

  test('counts each value that its callers sent and got, and says the same to Prometheus', async () => {
    await Promise.all(REQUESTS.map((rows) => ask(rows)));
    const rows = REQUESTS.flat();
    const { features, predictions, outliers, rows: seen, requests } = await server.evidence();
    const [first, second] = [0, 1].map((index) => countedBy(rows.map((row) => row[index as 0 | 1])));
    expect(requests.ok).toBe(REQUESTS.length);
    expect(seen).toEqual({ run: rows.length, judged: rows.length });
    expect(outliers?.judged).toBe(rows.length);
    expect(features?.map(({ counts }) => counts)).toEqual([first, second]);
    expect(features?.[0]?.outOfRange).toBe(rows.filter(([value]) => value > 0.9).length);
    expect(predictions?.[0]?.counts).toEqual(countedBy(rows.map(answerOf)));

    const text = await (await server.fetch('admin', '/metrics')).text();
    const values = parse(text).find(({ name }) => name === METRICS.featureValues)?.metrics ?? [];
    expect(values.map(({ value }) => Number(value))).toEqual([...(first ?? []), ...(second ?? [])]);
    expect(values.slice(0, 4).map(({ labels }) => labels?.['bin'])).toEqual(['-0.5', '0.1', '0.5', '+Inf']);
  });

  test('finds the answer that a late label is about', async () => {
    const { outputs } = await ask([[0.25, 0.5]], 'flight-17');
    expect(await label('flight-17', outputs[0].data[0] as number)).toBe(200);
    expect(await label('flight-17', 99)).toBe(200);
    expect(await label('flight-18', 1)).toBe(200);
    expect((await server.evidence()).labels).toMatchObject({ right: 1, wrong: 0, unknown: 1 });
  });
});

test('a server whose baseline does not fit its model ends with the sentence that says why', async () => {
  const misplaced = { ...baseline, features: [feature('third', 2)] };
  const files = { 'model.onnx': encodeModel(affine), 'baseline.json': JSON.stringify(misplaced) };
  const server = await startServer(await writeArtifact(files));
  expect(await server.exitCode()).toBe(1);
  expect((await server.termination()).message).toContain(
    'baseline.json: feature "third" is entry 2 of "x", which has 2 (the first is 0).',
  );
});

test('a pod without a baseline and a server of a folder say why they have none to give', async () => {
  const artifact = await writeArtifact({ 'model.onnx': encodeModel(affine) });
  for (const [server, error] of [
    [await startServer(artifact), 'Model "flights" has no baseline.json.'],
    [await startFolder(artifact.directory), 'This server serves a folder: its models have their baselines there.'],
  ] as const) {
    await server.logged('ready');
    const answer = await server.fetch('admin', ADMIN_PATHS.baseline, { headers: ADMIN });
    expect([answer.status, await answer.json()]).toEqual([404, { error }]);
    await server.kill();
  }
});
