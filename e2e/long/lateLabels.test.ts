import { setTimeout } from 'node:timers/promises';
import { FEEDBACK_PATH } from '@slipway/crds/contract';
import { inferenceServices } from '@slipway/operator/api/kinds.ts';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { GATEWAY } from '../ground/install.ts';
import { gatewayUrl } from '../load/gateway.ts';
import type { Row } from '../load/probe.ts';
import { flightRows } from '../load/rows.ts';
import { keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';
import { publishFaulty } from '../story/variants/publish.ts';

const NAMESPACE = 'late-labels';
const BAD = '2.0.0';
const WAIT_MS = 120_000;
const ASKED = 300;
/** As callers come: many of one second may be a burst, and are worth few (docs/decisions/a-second-is-worth-eight-requests.md). */
const PER_SECOND = 10;
const POLICY = {
  steps: [{ weight: 50 }, { weight: 100 }],
  bake: '10m',
  guards: [
    { name: 'errors', errors: { max: '5%' } },
    { name: 'accuracy', accuracy: { min: '60%' } },
  ],
};

let steady: Steady;
let url: string;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, POLICY);
  await publishFaulty(steady.stage, steady.trained.version, BAD, { kind: 'inverted' });
  url = (await gatewayUrl(steady.stage.ground.client, GATEWAY)) ?? '';
});
afterAll(() => steady?.close());

async function post(path: string, body: string): Promise<unknown> {
  const host = steady.service.spec.traffic.hostnames?.[0] ?? '';
  const answer = await request(`${url}${path}`, {
    method: 'POST',
    body,
    headers: { host, 'content-type': 'application/json' },
  });
  expect(answer.statusCode).toBe(200);
  return answer.body.json();
}

/** Asks each row under an id of its own, in the body: Envoy replaces an x-request-id that comes from outside. */
async function askWithIds(rows: readonly Row[]): Promise<{ id: string; label: number }[]> {
  const path = `/v2/models/${steady.service.spec.model.name}/infer`;
  const labels: { id: string; label: number }[] = [];
  const startedAt = Date.now();
  for (const [i, { body, label }] of rows.entries()) {
    await setTimeout(Math.max(0, startedAt + (1000 * i) / PER_SECOND - Date.now()));
    const id = `flight-${i}`;
    await post(path, JSON.stringify({ ...JSON.parse(body), id }));
    labels.push({ id, label });
  }
  return labels;
}

test('a version that is wrong in a way only the labels tell is taken back in its bake', async () => {
  const { stage, traffic, service, trained } = steady;
  const { client } = stage.ground;
  const key = keyIn(stage, service);
  const stable = trained.version.spec.version;
  traffic.allow(stable, BAD);
  await client.merge(inferenceServices, key, { spec: { model: { version: BAD } } });
  try {
    const baking = await awaitObject(
      client,
      inferenceServices,
      key,
      ({ status }) => status?.candidate?.phase === 'Baking',
      {
        what: 'the service to bake',
        timeoutMs: WAIT_MS,
      },
    );
    expect(baking.status?.traffic?.programmed?.candidate).toBe(10_000);
    const labels = await askWithIds(await flightRows(ASKED));
    expect((await client.get(inferenceServices, key))?.status?.candidate?.phase).toBe('Baking');
    // Among them one of a request that nobody made.
    const counts = await post(FEEDBACK_PATH, JSON.stringify([...labels, { id: 'flight-of-nobody', label: 0 }]));
    expect(counts).toMatchObject({ unknown: 1 });
    const { status } = await awaitGoal(client, inferenceServices, key, 'RolledBack', WAIT_MS);
    traffic.allow(stable);
    expect(status?.rejected).toMatchObject([{ version: BAD, reason: 'GuardFailed' }]);
    expect(status?.rejected?.[0]?.message).toContain('accuracy');
    const verdict = (name: string) => status?.candidate?.guards?.find((guard) => guard.name === name)?.verdict;
    expect([verdict('errors'), verdict('accuracy')]).toEqual(['Pass', 'Fail']);
  } catch (error) {
    console.error(await diagnose(stage.ground, NAMESPACE));
    throw error;
  }
  await traffic.hear(100);
  expect(traffic.tally().unexcused.slice(0, 5)).toEqual([]);
});
