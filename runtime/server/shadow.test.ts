import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Evidence } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fp32 } from '../onnx/builders.ts';
import { affine, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';

let stable: ServerProcess;
beforeAll(async () => {
  stable = await startServer(await modelArtifact(affine));
  await stable.logged('ready');
}, 30_000);
afterAll(() => stable.kill());

/** One poll of the operator: the order that holds from now on, for the evidence of this moment. */
async function poll(order: object | null, server = stable): Promise<Evidence> {
  const body = JSON.stringify({ shadow: order });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  expect(response.status).toBe(200);
  return (await response.json()) as Evidence;
}

async function ask(x: number, server = stable): Promise<number> {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [x, 0] }] });
  const response = await server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body });
  expect(await response.json()).toMatchObject({ outputs: [{ data: [2 * x + 0.5] }] });
  return response.status;
}

/** Polls until the counts of the shadow are as wanted; a test that waits in vain ends by its own time. */
async function untilShadow(
  order: object,
  wanted: (shadow: NonNullable<Evidence['shadow']>) => boolean,
  server = stable,
) {
  for (;;) {
    const { shadow } = await poll(order, server);
    if (shadow && wanted(shadow)) return shadow;
  }
}

test('copies reach a candidate that asks for keys, and its other answers are counted', async () => {
  const keys = join(await temporaryFolder('keys'), 'keys');
  await writeFile(keys, `team sha256:${createHash('sha256').update('k'.repeat(32)).digest('hex')}\n`);
  const other = { ...affine, initializers: [fp32('w', [2, 1], [2, -3]), fp32('b', [1], [9])] };
  const candidate = await startServer(await modelArtifact(other), {
    SLIPWAY_SETTINGS: JSON.stringify({ auth: { keysFile: keys } }),
  });
  await candidate.logged('ready');
  const target = (await candidate.url('rest', '')).replace(/\/$/, '');
  const order = { id: 'rollout-1', target, percent: 100, compare: 'tolerance' };
  await poll(order);
  for (let x = 0; x < 20; x++) expect(await ask(x)).toBe(200);
  expect(await untilShadow(order, ({ compared }) => compared === 20)).toMatchObject({
    order: 'rollout-1',
    compared: 20,
    disagreed: 20,
    failed: 0,
  });
  expect((await candidate.evidence()).requests).toMatchObject({ ok: 20, clientError: 0 });
  expect((await fetch(`${target}/v2/models/flights/infer`, { method: 'POST', body: '{}' })).status).toBe(401);
  await poll(null);
  await candidate.kill();
});

describe('a candidate that speaks TLS', async () => {
  const folder = await temporaryFolder('shadow-tls');
  const at = (name: string) => join(folder, name);
  let candidate: ServerProcess;
  beforeAll(async () => {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=candidate', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', at('key.pem'), '-out', at('cert.pem')];
    await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...subject, ...files]);
    const tls = { certFile: at('cert.pem'), keyFile: at('key.pem') };
    candidate = await startServer(await modelArtifact(affine), { SLIPWAY_SETTINGS: JSON.stringify({ tls }) });
    await candidate.logged('ready');
  }, 30_000);
  afterAll(() => candidate.kill());

  test.each([
    [
      'is compared by a server that trusts its certificate',
      { NODE_EXTRA_CA_CERTS: at('cert.pem') },
      { compared: 10, failed: 0 },
    ],
    ['has failed for one that does not', {}, { compared: 0, failed: 10 }],
  ])('%s', async (_what, env, wanted) => {
    const live = await startServer(await modelArtifact(affine), env);
    await live.logged('ready');
    const target = (await candidate.url('rest', '')).replace('http:', 'https:');
    const order = { id: 'rollout-3', target, percent: 100, compare: 'tolerance' };
    await poll(order, live);
    for (let x = 0; x < 10; x++) expect(await ask(x, live)).toBe(200);
    const shadow = await untilShadow(order, ({ compared, failed }) => compared + failed === 10, live);
    expect(shadow).toMatchObject({ ...wanted, disagreed: 0 });
    await live.kill();
  });
});

test('a candidate that hangs costs live answers nothing and is counted as failed or skipped', async () => {
  const sockets = new Set<Socket>();
  const hole = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(hole, 'listening');
  const target = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`;
  const order = { id: 'rollout-2', target, percent: 100, compare: 'tolerance' };
  await poll(order);
  const begin = performance.now();
  for (let x = 0; x < 400; x++) expect(await ask(x)).toBe(200);
  expect((performance.now() - begin) / 400).toBeLessThan(100);
  const shadow = await untilShadow(order, ({ failed, skipped }) => failed + skipped > 0);
  expect(shadow).toMatchObject({ order: 'rollout-2', compared: 0, disagreed: 0 });
  expect((await poll(null)).requests).toMatchObject({ serverError: 0, shed: 0 });
  hole.close();
  for (const socket of sockets) socket.destroy();
});
