import { setTimeout as pause } from 'node:timers/promises';
import { encodeModel } from '@slipway/runtime/onnx/model.ts';
import { TestClient } from '@slipway/runtime/server/grpc/testing/client.ts';
import { affine, mlp } from '@slipway/runtime/test/artifacts.ts';
import { expect, test } from 'vitest';
import { modelFolder, ServerContainer } from './server.ts';

const SERVED = '/v2/models/affine/infer';
const affineFolder = () => modelFolder({ 'affine/model.onnx': encodeModel(affine) });
const ROW = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }] });
const MESSAGE = {
  model_name: 'affine',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 1] } }],
};

/** 200 for an answer that was read to its end, else what went wrong. */
const askRest = (url: string, body = ROW): Promise<number | string> =>
  fetch(url, { method: 'POST', body }).then(async (response) => {
    await response.arrayBuffer();
    return response.status;
  }, String);

test('it answers right over REST and gRPC within a minute of its start', async () => {
  const begin = performance.now();
  const server = await ServerContainer.serving(await affineFolder());
  const answer = await fetch(server.url('rest', SERVED), { method: 'POST', body: ROW });
  expect(await answer.json()).toMatchObject({ outputs: [{ name: 'y', shape: [1, 1], data: [-0.5] }] });
  expect(performance.now() - begin).toBeLessThan(60_000);
  const { message } = await new TestClient(server.address('grpc')).call('ModelInfer', MESSAGE);
  expect(message).toMatchObject({ model_name: 'affine', outputs: [{ name: 'y', datatype: 'FP32' }] });
  expect((await fetch(server.url('admin', '/readyz'))).status).toBe(200);
  expect((await fetch(server.url('admin', '/livez'))).status).toBe(200);
});

test('it needs no root, no capability, no new rights and nothing to write to', async () => {
  const server = await ServerContainer.serving(await affineFolder());
  const { output } = await server.inside('cat /proc/1/status');
  const status = Object.fromEntries(output.split('\n').map((line) => line.split(':\t').map((part) => part.trim())));
  expect(status).toMatchObject({
    Uid: '65532\t65532\t65532\t65532',
    Gid: '65532\t65532\t65532\t65532',
    CapEff: '0000000000000000',
    CapBnd: '0000000000000000',
    NoNewPrivs: '1',
  });
  for (const folder of ['/tmp', '/app', '/models']) {
    const written = await server.inside(`touch ${folder}/x`);
    expect([written.exitCode, written.output]).toEqual([1, expect.stringContaining('Read-only file system')]);
  }
  expect(await askRest(server.url('rest', SERVED))).toBe(200);
});

test('it runs as many threads as its share of the processor, and says why', async () => {
  const server = await ServerContainer.serving(await affineFolder(), { cpu: 1 });
  expect(server.log.find(({ msg }) => msg === 'ready')).toMatchObject({
    models: ['affine'],
    cores: 1,
    because: expect.stringMatching(/quota/i),
  });
});

test('it stays within its memory while many large requests come at once', async () => {
  const models = await modelFolder({ 'mlp/model.onnx': encodeModel(mlp([30, 64, 4])) });
  const server = await ServerContainer.serving(models, { memoryGiB: 0.5 });
  const rows = 25_000;
  const data = Array.from({ length: rows * 30 }, (_, i) => i / 7);
  const body = JSON.stringify({ inputs: [{ name: 'v0', datatype: 'FP32', shape: [rows, 30], data }] });
  expect(body.length).toBeGreaterThan(10_000_000);
  const url = server.url('rest', '/v2/models/mlp/infer');
  const statuses = await Promise.all(Array.from({ length: 24 }, () => askRest(url, body)));
  expect(statuses).toEqual(statuses.map(() => 200));
  const { State } = await server.inspect();
  expect(State).toMatchObject({ Running: true, OOMKilled: false });
});

test.for([
  { what: 'no model', files: { 'notes.txt': 'nothing here' }, says: /^There is no model in \/models: put model\.onnx/ },
  {
    what: 'one model that is none',
    files: { 'affine/model.onnx': encodeModel(affine), 'flights/model.onnx': 'not a model' },
    says: /^Model "flights": model\.onnx cannot be loaded/,
  },
])('a folder with $what ends it with one sentence and exit code 1', async ({ files, says }) => {
  const server = await ServerContainer.refusing(await modelFolder(files));
  expect(await server.exitCode()).toBe(1);
  const [last, ...more] = server.log.filter(({ level }) => level === 60);
  expect(more).toEqual([]);
  expect(last).toMatchObject({ msg: expect.stringMatching(says) });
  expect(String(last?.['msg'])).not.toContain('\n');
});

test('a load over REST and gRPC that goes on while it leaves loses nothing, and it exits with 0', async () => {
  const server = await ServerContainer.serving(await affineFolder(), { environment: { SLIPWAY_DRAIN_SECONDS: '2' } });
  const client = new TestClient(server.address('grpc'));
  const url = server.url('rest', SERVED);
  const askGrpc = (): Promise<number | string> => client.call('ModelInfer', MESSAGE).then(() => 200, String);
  let wanted = true;
  const caller = async (ask: () => Promise<number | string>) => {
    const outcomes: (number | string)[] = [];
    while (wanted) outcomes.push(await ask());
    return outcomes;
  };
  const callers = Array.from({ length: 12 }, (_, i) => caller(i % 2 ? () => askRest(url) : askGrpc));
  await pause(300);
  await server.signal('SIGTERM');
  // What a proxy does: it hears by the probe that the server leaves, and asks on until it has heard.
  while ((await fetch(server.url('admin', '/readyz'))).status === 200) await pause(20);
  await pause(500);
  wanted = false;
  const outcomes = (await Promise.all(callers)).flat();
  expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(100);
  expect(await server.exitCode()).toBe(0);
});
