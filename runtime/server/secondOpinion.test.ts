import { type Evidence, SECOND_OPINION } from '@slipway/crds/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fp32 } from '../onnx/builders.ts';
import { lookup, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';

const CODES = [0, 1, 2, 2];
const ROUNDS = 10;

let stable: ServerProcess;
let candidate: ServerProcess;
beforeAll(async () => {
  const table = fp32('table', [2, 2], [1, 2, 3, 4]);
  const narrower = { ...lookup, initializers: lookup.initializers.map((one) => (one.name === 'table' ? table : one)) };
  const artifacts = [await modelArtifact(lookup), await modelArtifact(narrower)] as const;
  [stable, candidate] = await Promise.all([startServer(artifacts[0]), startServer(artifacts[1])]);
  await Promise.all([stable.logged('ready'), candidate.logged('ready')]);
}, 30_000);
afterAll(() => Promise.all([stable.kill(), candidate.kill()]));

async function poll(server: ServerProcess, shadow: object | null): Promise<Evidence> {
  const body = JSON.stringify({ shadow });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  expect(response.status).toBe(200);
  return (await response.json()) as Evidence;
}

async function ask(server: ServerProcess, code: number): Promise<number> {
  const body = JSON.stringify({
    id: `r${code}`,
    inputs: [{ name: 'code', datatype: 'INT64', shape: [1, 1], data: [code] }],
  });
  const response = await server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body });
  await response.arrayBuffer();
  return response.status;
}

const copiesOf = ({ copies }: Evidence) => (copies === undefined ? 0 : copies.ok + copies.serverError);

/** Asks stable, a request after the other, until the candidate has answered so many copies; without, the test ends by its time. */
async function askUntil(copies: number): Promise<Evidence> {
  for (;;) {
    for (const code of CODES) expect(await ask(stable, code)).toBe(200);
    const evidence = await candidate.evidence();
    if (copiesOf(evidence) >= copies) return evidence;
  }
}

test('a copy in shadow is a request like any other', async () => {
  const { requests } = await candidate.evidence();
  const target = (await candidate.url('rest', '')).replace(/\/$/, '');
  await poll(stable, { id: 'rollout/0/ab', target, percent: 100 });
  for (let round = 0; round < 5; round += 1) expect(await ask(stable, 0)).toBe(200);
  await expect.poll(async () => (await candidate.evidence()).requests.ok).toBe(requests.ok + 5);
  expect((await candidate.evidence()).copies).toEqual({ ok: 0, clientError: 0, serverError: 0, invalid: 0 });
  await poll(stable, null);
});

test('a second opinion is counted by the candidate apart from what users felt, failures and all', async () => {
  expect(await ask(candidate, 0)).toBe(200);
  const before = await candidate.evidence();
  const target = (await candidate.url('rest', '')).replace(/\/$/, '');
  await poll(stable, { id: `${SECOND_OPINION}rollout/1/1`, target, percent: 100 });
  const after = await askUntil(CODES.length * ROUNDS);
  expect(after.copies?.ok).toBeGreaterThan(0);
  expect(after.copies?.serverError).toBeGreaterThan(0);
  const { requests, batches, latency, labels } = before;
  expect(after).toMatchObject({ requests, batches, latency, labels });
  const feedback = JSON.stringify([0, 1].map((code) => ({ id: `r${code}`, label: 1 })));
  const told = await candidate.fetch('rest', '/slipway/v1/feedback', { method: 'POST', body: feedback });
  expect(await told.json()).toMatchObject({ unknown: 1 });
  const { requests: live, shadow } = await poll(stable, null);
  expect(live).toMatchObject({ serverError: 0, shed: 0 });
  expect(shadow?.order).toBe(`${SECOND_OPINION}rollout/1/1`);
});
