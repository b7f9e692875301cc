import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { affine, hanging, modelArtifact, slow } from '../test/artifacts.ts';
import { type ServerProcess, startServer } from '../test/serverProcess.ts';
import { TestClient } from './grpc/testing/client.ts';

const bodyOf = (shape: number[], data: number[]) =>
  JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] });
const messageOf = (shape: number[], data: number[]) => ({
  model_name: 'flights',
  inputs: [{ name: 'x', datatype: 'FP32', shape, contents: { fp32_contents: data } }],
});

/** The status of an answer that was read to its end, else what went wrong. */
async function statusOf(url: string, body: string): Promise<number | string> {
  try {
    const response = await fetch(url, { method: 'POST', body });
    await response.text();
    return response.status;
  } catch (error) {
    return String(error);
  }
}

/** 200 for an answer, else what went wrong. */
const callOf = (client: TestClient, message: ReturnType<typeof messageOf>): Promise<number | string> =>
  client.call('ModelInfer', message).then(() => 200, String);

/** Asks one after another while `wanted`; what a proxy does until it has heard that the endpoint is gone. */
async function load(ask: () => Promise<number | string>, wanted: () => boolean): Promise<(number | string)[]> {
  const outcomes: (number | string)[] = [];
  while (wanted()) outcomes.push(await ask());
  return outcomes;
}

async function untilUnready(server: ServerProcess): Promise<void> {
  while ((await server.fetch('admin', '/readyz')).status === 200) await pause(5);
}

const restOf = (server: ServerProcess) => server.url('rest', '/v2/models/flights/infer');
const grpcOf = async (server: ServerProcess) =>
  new TestClient(`127.0.0.1:${(await server.logged('listening'))['grpc']}`);

test('triton#6230, #6286, #8253, serve#2008: a load over REST and gRPC that goes on for half a second after SIGTERM loses nothing', async () => {
  const server = await startServer(await modelArtifact(affine), { SLIPWAY_DRAIN_SECONDS: '3' });
  await server.logged('ready');
  const [url, client] = [await restOf(server), await grpcOf(server)];
  let wanted = true;
  const callers = Array.from({ length: 12 }, (_, i) => {
    const ask = i % 2 ? () => statusOf(url, bodyOf([1, 2], [1, 1])) : () => callOf(client, messageOf([1, 2], [1, 1]));
    return load(ask, () => wanted);
  });
  await pause(200);
  server.child.kill('SIGTERM');
  await untilUnready(server);
  await pause(500);
  wanted = false;
  const outcomes = (await Promise.all(callers)).flat();
  const { requests, draining, ready } = await server.evidence();
  expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([]);
  expect({ ...requests, draining, ready }).toMatchObject({
    ok: outcomes.length,
    serverError: 0,
    draining: true,
    ready: false,
  });
  expect(outcomes.length, 'or there was no load').toBeGreaterThan(2 * callers.length);
  expect(await server.exitCode()).toBe(0);
});

test('requests that run when the drain is over still get their answers', async () => {
  const server = await startServer(await modelArtifact(slow));
  await server.logged('ready');
  const running = [statusOf(await restOf(server), bodyOf([1], [1])), callOf(await grpcOf(server), messageOf([1], [2]))];
  while ((await server.evidence()).inFlight < 2) await pause(5);
  server.child.kill('SIGTERM');
  expect(await Promise.all(running)).toEqual([200, 200]);
  expect(await server.exitCode()).toBe(0);
});

test('a grace period that is too short ends what still runs, in time and with a line about it', async () => {
  const server = await startServer(await modelArtifact(slow), { SLIPWAY_GRACE_SECONDS: '1' });
  await server.logged('ready');
  const url = await restOf(server);
  const running = Array.from({ length: 12 }, (_, i) => statusOf(url, bodyOf([1], [i])));
  while ((await server.evidence()).inFlight < 12) await pause(5);
  server.child.kill('SIGTERM');
  expect(await server.logged('the grace period was too short for some requests')).toMatchObject({
    lost: expect.any(Number),
  });
  expect(await server.exitCode()).toBe(0);
  expect((await Promise.all(running)).some((status) => status !== 200)).toBe(true);
});

describe('a run that nothing can end', () => {
  const hang = async () => {
    const server = await startServer(await modelArtifact(hanging), { SLIPWAY_GRACE_SECONDS: '2' });
    await server.logged('ready');
    const answer = statusOf(await restOf(server), bodyOf([1], [1]));
    const metrics = async () => (await server.fetch('admin', '/metrics')).text();
    while (!/^slipway_runs_in_progress\{.*\} 1$/m.test(await metrics())) await pause(5);
    server.child.kill('SIGTERM');
    await server.logged('draining');
    return { server, answer };
  };

  test('does not keep the process beyond its grace period', async () => {
    const { server, answer } = await hang();
    const told = performance.now();
    expect(await server.exitCode()).toBe(0);
    expect(performance.now() - told, 'before the kubelet kills it').toBeLessThan(2000);
    expect(await server.logged('left while a model was at work')).toBeDefined();
    expect(await answer).not.toBe(200);
  });

  test('does not keep a process that is told a second time', async () => {
    const { server } = await hang();
    const told = performance.now();
    server.child.kill('SIGTERM');
    expect(await server.exitCode()).toBe(143);
    expect(performance.now() - told).toBeLessThan(1000);
  });
});

test('a second signal ends the process at once', async () => {
  const server = await startServer(await modelArtifact(affine), { SLIPWAY_DRAIN_SECONDS: '600' });
  await server.logged('ready');
  server.child.kill('SIGTERM');
  await server.logged('draining');
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(143);
});

test('a signal before the model is loaded ends the process without a drain', async () => {
  const golden = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [-0.5] }],
  };
  const artifact = await modelArtifact(
    affine,
    Array.from({ length: 20_000 }, () => golden),
  );
  const server = await startServer(artifact, { SLIPWAY_DRAIN_SECONDS: '600' });
  await server.logged('listening');
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(0);
});
