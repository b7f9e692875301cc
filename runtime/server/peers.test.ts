import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { affine, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';

const KEY = { authorization: `Bearer ${'k'.repeat(32)}` };
let pods: readonly ServerProcess[];

beforeAll(async () => {
  const keys = join(await temporaryFolder('keys'), FILES.keys);
  await writeFile(keys, `team sha256:${createHash('sha256').update('k'.repeat(32)).digest('hex')}\n`);
  const artifact = await modelArtifact(affine);
  const env = { SLIPWAY_SETTINGS: JSON.stringify({ auth: { keysFile: keys } }) };
  pods = await Promise.all([0, 1, 2].map(() => startServer(artifact, env)));
  for (const pod of pods) await pod.logged('ready');
}, 60_000);
afterAll(async () => {
  for (const pod of pods) await pod.kill();
});

const pod = (i: number): ServerProcess => pods[i] as ServerProcess;

async function tell(i: number, urls: readonly string[] | null): Promise<void> {
  const body = JSON.stringify({ peers: urls && { urls } });
  const response = await pod(i).fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  expect(response.status).toBe(200);
}

const rest = async (i: number) => (await pod(i).url('rest', '')).replace(/\/$/, '');
const othersOf = async (i: number) => Promise.all([0, 1, 2].filter((j) => j !== i).map(rest));

async function ask(i: number, id: string, x: number): Promise<void> {
  const body = JSON.stringify({ id, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [x, 0] }] });
  const response = await pod(i).fetch('rest', '/v2/models/flights/infer', { method: 'POST', headers: KEY, body });
  expect(response.status).toBe(200);
}

async function label(i: number, labels: object, headers: object = {}): Promise<unknown> {
  const init = { method: 'POST', headers: { ...KEY, ...headers }, body: JSON.stringify(labels) };
  return (await pod(i).fetch('rest', '/slipway/v1/feedback', init)).json();
}

/** What each pod counted; by which seconds the labels came is the business of another test. */
const countedBy = async (each: ServerProcess) => {
  const { right, wrong, unknown } = (await each.evidence()).labels ?? none;
  return { right, wrong, unknown };
};
const counted = () => Promise.all(pods.map(countedBy));
const none = { right: 0, wrong: 0, unknown: 0 };

test('a label finds the pod that remembers its request, is counted there, and unknown once where nobody does', async () => {
  await tell(0, await othersOf(0));
  await ask(1, 'a', 1);
  await ask(2, 'b', 2);
  await ask(0, 'c', 3);
  const labels = [
    { id: 'a', label: 2.5 },
    { id: 'b', label: 99 },
    { id: 'c', label: 6.5 },
    { id: 'nobody', label: 1 },
  ];
  expect(await label(0, labels)).toEqual({ right: 2, wrong: 1, unknown: 1 });
  expect(await counted()).toEqual([
    { right: 1, wrong: 0, unknown: 1 },
    { right: 1, wrong: 0, unknown: 0 },
    { right: 0, wrong: 1, unknown: 0 },
  ]);
  // Sent again it is answered alike, and changes nothing but the count of what nobody knows.
  expect(await label(0, labels)).toEqual({ right: 2, wrong: 1, unknown: 1 });
  expect((await counted())[1]).toEqual({ right: 1, wrong: 0, unknown: 0 });
});

test('a label that was passed on is not passed on again', async () => {
  for (const i of [0, 1, 2]) await tell(i, await othersOf(i));
  const before = await counted();
  expect(await label(0, { id: 'x', label: 1 })).toEqual({ right: 0, wrong: 0, unknown: 1 });
  const after = await counted();
  expect(after[0]?.unknown).toBe((before[0]?.unknown ?? 0) + 1);
  expect(after.slice(1)).toEqual(before.slice(1));
  expect(await label(1, { id: 'x', label: 1 }, { 'slipway-forwarded': 'feedback' })).toEqual({ ...none, unknown: 1 });
  expect(await counted()).toEqual(after);
});

test('peers that are gone, and addresses that are somebody else’s, know nothing', async () => {
  const admin = (await pod(2).url('admin', '')).replace(/\/$/, '');
  await tell(0, ['http://127.0.0.1:9', admin, await rest(1)]);
  await ask(1, 'd', 4);
  const labels = [
    { id: 'd', label: 8.5 },
    { id: 'e', label: 8.5 },
  ];
  expect(await label(0, labels)).toEqual({ right: 1, wrong: 0, unknown: 1 });
});

test('without peers a label is for the pod that it comes to', async () => {
  await tell(0, null);
  await ask(1, 'f', 1);
  expect(await label(0, { id: 'f', label: 2.5 })).toEqual({ ...none, unknown: 1 });
  expect(await label(1, { id: 'f', label: 2.5 })).toEqual({ ...none, right: 1 });
});

test('labels need a key as ever; peers need none of the caller', async () => {
  const response = await pod(1).fetch('rest', '/slipway/v1/feedback', {
    method: 'POST',
    headers: { 'slipway-forwarded': 'feedback', 'slipway-shadow': 'feedback', authorization: 'Shadow 00' },
    body: JSON.stringify({ id: 'a', label: 1 }),
  });
  expect(response.status).toBe(401);
});
