import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Evidence, evidenceSchema, type ShadowOrder } from '@slipway/crds/contract';
import { afterEach, expect, test, vi } from 'vitest';
import { node } from '../../onnx/builders.ts';
import type { OnnxModel } from '../../onnx/model.ts';
import { affine, lookup, modelArtifact } from '../../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../../test/serverProcess.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { bodyOf, hangingServer, httpServer } from './testing/candidate.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function started(model: OnnxModel, settings: object = {}): Promise<ServerProcess> {
  const server = await startServer(await modelArtifact(model), { SLIPWAY_SETTINGS: JSON.stringify(settings) });
  closing.push(() => server.kill());
  await server.logged('ready');
  return server;
}

const post = (server: ServerProcess, body: object, headers: Record<string, string> = {}) =>
  server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body: JSON.stringify(body), headers });

const ask = (server: ServerProcess, a: number, b: number, headers?: Record<string, string>) =>
  post(server, { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [a, b] }] }, headers);

async function poll(server: ServerProcess, shadow: Partial<ShadowOrder> | null): Promise<Evidence> {
  const response = await server.fetch('admin', '/slipway/v1/evidence', {
    method: 'POST',
    headers: { ...ADMIN, 'content-type': 'application/json' },
    body: JSON.stringify({ shadow }),
  });
  expect(response.status).toBe(200);
  return evidenceSchema.parse(await response.json());
}

/** The same but where a coordinate is below zero. */
const folded: OnnxModel = {
  ...affine,
  nodes: [node('Abs', ['x'], 'size'), node('Gemm', ['size', 'w', 'b'], 'y')],
};

test('a stable server compares its answers with those of a candidate, which copies nothing on', async () => {
  const [stable, candidate] = [await started(affine), await started(folded)];
  const order = { id: 'rollout-7', target: await candidate.url('rest', ''), percent: 100, segment: 'x' };
  const refused = await stable.fetch('admin', '/slipway/v1/evidence', {
    method: 'POST',
    headers: ADMIN,
    body: JSON.stringify({ shadow: order }),
  });
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('is no feature of the model')]);
  const { segment: _segment, ...plain } = order;
  await poll(stable, plain);
  await poll(candidate, { ...plain, id: 'mirror', target: await stable.url('rest', '') });
  for (let i = 1; i <= 20; i++) expect((await ask(stable, i % 2 ? i : -i, 1)).status).toBe(200);
  await vi.waitFor(async () => expect((await poll(stable, plain)).shadow?.compared).toBe(20), { timeout: 10_000 });
  const { shadow } = await poll(stable, null);
  expect(shadow).toMatchObject({ order: 'rollout-7', disagreed: 10, failed: 0, skipped: 0 });
  expect(shadow?.examples).toHaveLength(10);
  const theirs = await poll(candidate, null);
  expect(theirs.requests.ok).toBe(20);
  expect(theirs.shadow).toMatchObject({ order: 'mirror', compared: 0, skipped: 0, failed: 0 });
});

test('a candidate that hangs takes nothing from live requests: all are answered, and what it holds is bounded', async () => {
  const candidate = await hangingServer();
  closing.push(candidate.close);
  const settings = { shadow: { timeoutMs: 200, concurrency: 4, maxQueue: 32 } };
  const server = await started(affine, settings);
  const order = { id: 'rollout-7', target: candidate.url, percent: 100 };
  await poll(server, order);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, caller) => {
      const values: number[] = [];
      for (let i = 0; i < 100; i++) {
        const response = await ask(server, caller, i);
        const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
        values.push(outputs[0]?.data[0] as number);
      }
      return values;
    }),
  );
  for (const [caller, values] of answers.entries())
    expect(values).toEqual(values.map((_, i) => 2 * caller - 3 * i + 0.5));
  await vi.waitFor(async () => expect((await poll(server, order)).shadow?.failed).toBeGreaterThan(0), {
    timeout: 10_000,
  });
  expect(candidate.connections()).toBeGreaterThan(0); // the copies' thread has time of its own: not before one failed
  const { shadow, requests } = await poll(server, null);
  expect(requests).toEqual({ ok: 800, clientError: 0, serverError: 0, shed: 0 });
  expect(shadow?.compared).toBe(0);
  expect((shadow?.skipped ?? 0) + (shadow?.failed ?? 0)).toBeGreaterThan(700);
});

test('samples are asked again and get the same answers', async () => {
  const file = join(await temporaryFolder('samples'), 'samples.jsonl');
  const server = await started(lookup, { samples: { share: 1, file } });
  for (const data of [[0], [1, 2], [2, 1, 0]]) {
    const inputs = [{ name: 'code', datatype: 'INT64', shape: [data.length, 1], data }];
    expect((await post(server, { id: `r${data.length}`, inputs })).status).toBe(200);
  }
  expect((await post(server, { inputs: [{ name: 'code', datatype: 'INT64', shape: [1, 1], data: [7] }] })).status).toBe(
    500,
  );
  const sent = 'slipway_observations_total{kind="samples",result="sent"} 3';
  await vi.waitFor(async () => expect(await (await server.fetch('admin', '/metrics')).text()).toContain(sent), {
    timeout: 10_000,
    interval: 50,
  });
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(0);
  const lines = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ id, model, version }) => [id, model, version])).toEqual(
    ['r1', 'r2', 'r3'].map((id) => [id, 'flights', '1.4.0']),
  );
  const again = await started(lookup);
  for (const { request, response } of lines) {
    const { outputs } = (await (await post(again, request)).json()) as { outputs: unknown };
    expect(outputs).toEqual(response.outputs);
  }
});

test('a traced request arrives at the collector below the span of its caller', async () => {
  const bodies: string[] = [];
  const collector = await httpServer(async (request, response) => {
    bodies.push((await bodyOf(request)).toString());
    response.end('{}');
  });
  closing.push(collector.close);
  const server = await started(affine, { tracing: { endpoint: collector.url, share: 0 } });
  await ask(server, 1, 2, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  await ask(server, 1, 2);
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  const spans = bodies.flatMap((body) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
  const [root, ...parts] = spans;
  expect(root).toMatchObject({
    name: 'infer flights',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
  });
  expect(parts.map(({ name }: { name: string }) => name)).toContain('decode');
  for (const { parentSpanId } of parts) expect(parentSpanId).toBe(root.spanId);
});

test('sampled requests are logged without what was in them', async () => {
  const server = await started(affine, { logging: { share: 1, hash: ['x'] } });
  await ask(server, 612.5, 1, { 'x-request-id': 'mine' });
  const line = await server.logged('answered');
  expect(line).toMatchObject({
    request: 'mine',
    model: 'flights',
    version: '1.4.0',
    protocol: 'rest',
    outcome: 'ok',
    rows: 1,
  });
  expect(line['hashed']).toEqual({ x: [expect.stringMatching(/^[0-9a-f]{16}$/)] });
  expect(JSON.stringify(line)).not.toContain('612.5');
});

test.each<[string, object, RegExp]>([
  ['a feature that the model does not have', { logging: { hash: ['salary'] } }, /logging.hash names "salary"/],
  [
    'a sample file in no folder',
    { samples: { share: 1, file: '/nowhere/samples.jsonl' } },
    /samples.file can't be written/,
  ],
  ['a key file that is not there', { logging: { hashKeyFile: '/nowhere/key' } }, /logging.hashKeyFile can't be read/],
])('settings with %s end the start with a sentence', async (_, settings, sentence) => {
  const server = await startServer(await modelArtifact(affine), { SLIPWAY_SETTINGS: JSON.stringify(settings) });
  closing.push(() => server.kill());
  expect(await server.exitCode()).toBe(1);
  expect((await server.termination()).message).toMatch(sentence);
});
