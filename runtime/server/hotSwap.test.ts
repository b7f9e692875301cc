import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fp32 } from '../onnx/builders.ts';
import { encodeModel } from '../onnx/model.ts';
import { affine } from '../test/artifacts.ts';
import { type ServerProcess, startFolder } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { TestClient } from './grpc/testing/client.ts';

/** A model that answers 2·x0 − 3·x1 + bias. */
const biased = (bias: number) =>
  encodeModel({ ...affine, initializers: [fp32('w', [2, 1], [2, -3]), fp32('b', [1], [bias])] });
const BODY = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 0] }] });
const MESSAGE = {
  model_name: 'flights',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 0] } }],
};

let root: string;
let server: ServerProcess;
const put = async (version: string, model: Uint8Array | string) => {
  await mkdir(join(root, 'flights', version), { recursive: true });
  await writeFile(join(root, 'flights', version, 'model.onnx'), model);
};
const control = async (what: 'load' | 'unload') => {
  const response = await server.fetch('rest', `/v2/repository/models/flights/${what}`, { method: 'POST' });
  return { status: response.status, body: await response.text() };
};
const index = async () => (await server.fetch('rest', '/v2/repository/index', { method: 'POST' })).json();

beforeAll(async () => {
  root = await temporaryFolder('models');
  await put('1', biased(1));
  server = await startFolder(root, { repository: 'Explicit' });
  await server.logged('ready');
}, 30_000);
afterAll(() => server.kill());

interface Answers {
  readonly values: Set<unknown>;
  count: number;
}

async function askRest(url: string, wanted: () => boolean, seen: Answers): Promise<void> {
  while (wanted()) {
    const response = await fetch(url, { method: 'POST', body: BODY });
    const body = (await response.json()) as { outputs?: [{ data: number[] }] };
    seen.values.add(body.outputs?.[0].data[0] ?? body);
    seen.count += 1;
  }
}

async function askGrpc(client: TestClient, wanted: () => boolean, seen: Answers): Promise<void> {
  while (wanted()) {
    const answer = await client.call('ModelInfer', MESSAGE).catch((error: unknown) => error);
    seen.values.add(numberIn(answer));
    seen.count += 1;
  }
}

const numberIn = (answer: unknown): unknown => {
  const { message } = answer as { message?: { outputs?: [{ contents?: { fp32_contents?: number[] } }] } };
  return message?.outputs?.[0].contents?.fp32_contents?.[0] ?? answer;
};

describe('a version that is swapped while callers ask', () => {
  test('loses no request over REST and gRPC, and answers as the new one when the load is answered', async () => {
    const url = await server.url('rest', '/v2/models/flights/infer');
    const { grpc } = await server.logged('listening');
    const client = new TestClient(`127.0.0.1:${grpc}`);
    let wanted = true;
    const seen: Answers = { values: new Set(), count: 0 };
    const callers = [
      ...Array.from({ length: 6 }, () => askRest(url, () => wanted, seen)),
      ...Array.from({ length: 6 }, () => askGrpc(client, () => wanted, seen)),
    ];
    for (const version of ['2', '3', '4']) {
      await put(version, biased(Number(version)));
      expect(await control('load')).toMatchObject({ status: 200 });
      const after: Answers = { values: new Set(), count: 0 };
      await askRest(url, () => after.count < 3, after);
      expect([...after.values]).toEqual([2 + Number(version)]);
    }
    await pause(200);
    wanted = false;
    await Promise.all(callers);
    expect([...seen.values].sort()).toEqual([3, 4, 5, 6]);
    expect(seen.count).toBeGreaterThan(100);
  });

  test('stays when the new one is broken, and says so', async () => {
    await put('9', 'garbage');
    const { status, body } = await control('load');
    expect([status, body]).toEqual([expect.any(Number), expect.stringContaining('model.onnx cannot be loaded')]);
    expect(status).toBeGreaterThanOrEqual(400);
    const seen: Answers = { values: new Set(), count: 0 };
    await askRest(await server.url('rest', '/v2/models/flights/infer'), () => seen.count < 1, seen);
    expect([...seen.values]).toEqual([6]);
    expect(await index()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'flights', version: '4', state: 'READY' }),
        expect.objectContaining({
          version: '9',
          state: 'UNAVAILABLE',
          reason: expect.stringContaining('cannot be loaded'),
        }),
      ]),
    );
  });
});

test('an unloaded model is gone, and can be loaded again', async () => {
  await put('9', biased(9));
  expect(await control('unload')).toMatchObject({ status: 200 });
  const response = await server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body: BODY });
  expect(response.status).toBe(404);
  expect(await control('load')).toMatchObject({ status: 200 });
  const seen: Answers = { values: new Set(), count: 0 };
  await askRest(await server.url('rest', '/v2/models/flights/infer'), () => seen.count < 1, seen);
  expect([...seen.values]).toEqual([11]);
});
