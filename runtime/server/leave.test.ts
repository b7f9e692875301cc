import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { affine, modelArtifact, slow } from '../test/artifacts.ts';
import { type ServerProcess, startServer } from '../test/serverProcess.ts';

const bodyOf = (shape: number[], data: number[]) =>
  JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] });

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

/** Sends requests one after another while `wanted`; what a proxy does until it has heard that the endpoint is gone. */
async function load(url: string, body: string, wanted: () => boolean): Promise<(number | string)[]> {
  const outcomes: (number | string)[] = [];
  while (wanted()) outcomes.push(await statusOf(url, body));
  return outcomes;
}

async function untilUnready(server: ServerProcess): Promise<void> {
  while ((await server.fetch('admin', '/readyz')).status === 200) await pause(5);
}

test('a load that goes on for half a second after SIGTERM loses nothing', async () => {
  const server = await startServer(await modelArtifact(affine), { SLIPWAY_DRAIN_SECONDS: '1' });
  await server.logged('ready');
  const url = await server.url('rest', '/v2/models/flights/infer');
  let wanted = true;
  const clients = Array.from({ length: 12 }, () => load(url, bodyOf([1, 2], [1, 1]), () => wanted));
  await pause(200);
  server.child.kill('SIGTERM');
  await untilUnready(server);
  await pause(500);
  wanted = false;
  const outcomes = (await Promise.all(clients)).flat();
  const { requests, draining, ready } = await server.evidence();
  expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([]);
  expect({ ...requests, draining, ready }).toMatchObject({
    ok: outcomes.length,
    serverError: 0,
    draining: true,
    ready: false,
  });
  expect(outcomes.length).toBeGreaterThan(100);
  expect(await server.exitCode()).toBe(0);
}, 30_000);

test('a request that runs when the drain is over still gets its answer', async () => {
  const server = await startServer(await modelArtifact(slow));
  await server.logged('ready');
  const url = await server.url('rest', '/v2/models/flights/infer');
  const running = [statusOf(url, bodyOf([1], [1])), statusOf(url, bodyOf([1], [2]))];
  while ((await server.evidence()).inFlight < 2) await pause(5);
  server.child.kill('SIGTERM');
  expect(await Promise.all(running)).toEqual([200, 200]);
  expect(await server.exitCode()).toBe(0);
}, 30_000);
