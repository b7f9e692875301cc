import { ANNOTATIONS, PREVIEW_HEADER, RESPONSE_HEADERS } from '@slipway/crds/contract';
import { type InferenceService, inferenceServices, modelVersions } from '@slipway/operator/api/kinds.ts';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { GATEWAY } from '../ground/install.ts';
import { gatewayUrl } from '../load/gateway.ts';
import { flightRows } from '../load/rows.ts';
import { APPROVER, approve } from '../story/approval.ts';
import { versionOver } from '../story/manifests.ts';
import { sameBytesAs } from '../story/rollout.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';
import { openTraffic, type Traffic } from '../story/traffic.ts';

const NAMESPACE = 'blue-green';
const PER_SECOND = 500;
const STEPS = [{ preview: true, for: '5s' }, { approval: true }, { weight: 100 }];
const GREEN = '2.0.0';
const WAIT_MS = 120_000;

let steady: Steady;
let blue: string;
let busy: Traffic | undefined;
beforeAll(async () => {
  const quiet = await openSteady(NAMESPACE, { steps: STEPS, bake: '10m' }, { perSecond: 0 });
  steady = quiet;
  const next = versionOver(quiet.trained.version, GREEN);
  await quiet.stage.ground.client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
  await awaitGoal(quiet.stage.ground.client, modelVersions, keyIn(quiet.stage, next), 'Ready', WAIT_MS);
  // Full load only now: on two cores it would have slowed all that has to happen before.
  busy = await openTraffic(quiet.stage, quiet.service, await flightRows(2000), PER_SECOND);
  steady = { ...quiet, traffic: busy };
  blue = steady.trained.version.spec.version;
});
afterAll(async () => {
  await busy?.stop();
  await steady?.close();
});

const service = (fits: (infs: InferenceService) => boolean, what: string) =>
  awaitObject(steady.stage.ground.client, inferenceServices, keyIn(steady.stage, steady.service), fits, {
    what: `the service ${what}`,
    timeoutMs: WAIT_MS,
  });

const merge = (change: object) =>
  steady.stage.ground.client.merge(inferenceServices, keyIn(steady.stage, steady.service), change);

/** One request through the gateway, as a user's; the version that answered it. */
async function ask(headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const url = await gatewayUrl(steady.stage.ground.client, GATEWAY);
  const [row] = await flightRows(1);
  const { name } = steady.service.spec.model;
  const host = steady.service.spec.traffic.hostnames?.[0] ?? '';
  const answer = await request(`${url}/v2/models/${name}/infer`, {
    method: 'POST',
    body: row?.body ?? '',
    headers: { host, 'content-type': 'application/json', ...headers },
  });
  await answer.body.dump();
  return answer.headers[RESPONSE_HEADERS.version];
}

describe('blue/green under 500 requests a second', () => {
  test('shows green to those who ask for it, and to nobody else', async () => {
    await merge({ spec: sameBytesAs(GREEN) });
    await service(({ status }) => status?.candidate?.awaitingApproval === true, 'to await approval');
    const preview = { [PREVIEW_HEADER.name]: PREVIEW_HEADER.value };
    expect([await ask(preview), await ask()]).toEqual([GREEN, blue]);
    expect(steady.traffic.answers.filter(({ version }) => version === GREEN)).toEqual([]);
  });

  test('switches all at once when a person approves', async () => {
    steady.traffic.allow(blue, GREEN);
    await approve(steady.stage, steady.service.metadata.name);
    const baking = await service(({ status }) => status?.candidate?.phase === 'Baking', 'to bake');
    expect(baking.status?.traffic?.programmed).toEqual({ stable: 0, candidate: 10_000 });
    expect(baking.status?.history?.some(({ by }) => by === APPROVER)).toBe(true);
    await steady.traffic.hear(PER_SECOND);
    steady.traffic.allow(GREEN);
    await steady.traffic.hear(PER_SECOND);
  });

  test('goes back in one step, to pods that were kept warm', async () => {
    const baking = await service(({ status }) => status?.candidate?.phase === 'Baking', 'to bake');
    steady.traffic.allow(blue, GREEN);
    const askedAt = Date.now();
    await merge({ metadata: { annotations: { [ANNOTATIONS.rollback]: baking.status?.rolloutID ?? '' } } });
    await service(({ status }) => status?.candidate?.phase === 'RolledBack', 'to be rolled back');
    await steady.traffic.hear(PER_SECOND);
    const last = steady.traffic.answers.findLast(({ version }) => version === GREEN);
    console.error(
      `  the way back: ${(last?.answeredAt ?? 0) - askedAt} ms from the request to the last answer of green`,
    );
    steady.traffic.allow(blue);
    await steady.traffic.hear(PER_SECOND);
  });

  test('lost or misrouted no answer through any of it', () => {
    expect(steady.traffic.tally().unexcused.slice(0, 5)).toEqual([]);
  });
});
