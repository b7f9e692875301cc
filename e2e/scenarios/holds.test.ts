import { setTimeout as delay } from 'node:timers/promises';
import { LABELS, PORTS } from '@slipway/crds/contract';
import { pods } from '@slipway/operator/api/builtin.ts';
import {
  type InferenceService,
  inferenceServices,
  type ModelVersion,
  modelVersions,
} from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { type Cut, cutOff } from '../ground/firewall.ts';
import { OPERATOR_NAMESPACE } from '../ground/install.ts';
import { approve } from '../story/approval.ts';
import { follow } from '../story/follow.ts';
import { versionOver } from '../story/manifests.ts';
import { sameBytesAs } from '../story/rollout.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady, serveBeside } from '../story/steady.ts';
import { publishFaulty } from '../story/variants/publish.ts';

/** What is not known neither promotes nor rolls back. Four services side by side: each has to be watched for a while. */
const NAMESPACE = 'holds';
const HOLD_MS = 15_000;
const WAIT_MS = 120_000;
const NEXT = '5.0.0';
const HALF = [{ weight: 50 }, { weight: 100 }];
const guarded = (guard: object, steps: readonly object[] = HALF) => ({ steps, guards: [{ name: 'guard', ...guard }] });
const ERRORS = { errors: { max: '5%' } };
/** Nothing listens on that port of the operator's own pod. */
const DOWN = { prometheus: { server: 'http://127.0.0.1:9', value: 'up', min: '1', interval: '1s' } };

let steady: Steady;
const others: Steady[] = [];
const all = (): readonly Steady[] => [steady, ...others];
let failing: ModelVersion;

beforeAll(async () => {
  // The name of the first service is that of the namespace: the one whose evidence will be cut off.
  steady = await openSteady(NAMESPACE, guarded(ERRORS, [{ approval: true }, ...HALF]));
  const { stage, trained } = steady;
  try {
    const beside = await Promise.all([
      publishFaulty(stage, trained.version, '2.0.0', { kind: 'failing', share: 0.3 }).then((version) => {
        failing = version;
        return serveBeside(steady, version, 'shared', guarded(ERRORS));
      }),
      serveBeside(steady, trained.version, 'silent', guarded(ERRORS), 0),
      serveBeside(steady, trained.version, 'unmeasured', guarded(DOWN)),
    ]);
    others.push(...beside);
  } catch (error) {
    console.error(await diagnose(stage.ground, NAMESPACE));
    throw error;
  }
});
afterAll(async () => {
  await Promise.all(others.map(({ traffic }) => traffic.stop()));
  await steady?.close();
});

/** Publishes the bytes of `of` once more, and asks for that version. */
async function askFor(name: string, of: ModelVersion, version: string): Promise<void> {
  const { client } = steady.stage.ground;
  const next = versionOver(of, version);
  await client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
  await awaitGoal(client, modelVersions, keyIn(steady.stage, next), 'Ready', WAIT_MS);
  all()
    .find(({ service }) => service.metadata.name === name)
    ?.traffic.allow(of.spec.version, version);
  await client.merge(inferenceServices, keyIn(steady.stage, name), { spec: sameBytesAs(version) });
}

const reasonOf = ({ status }: InferenceService) =>
  status?.conditions?.find((c) => c.type === 'RolloutComplete')?.reason;

/** Waits until the rollout is held for that reason, watches it for a while, and returns it as it is then. */
async function held(name: string, reason: string): Promise<InferenceService> {
  const { client } = steady.stage.ground;
  const key = keyIn(steady.stage, name);
  const isHeld = (infs: InferenceService): boolean =>
    infs.status?.candidate?.weight === 50 && reasonOf(infs) === reason;
  await awaitObject(client, inferenceServices, key, isHeld, {
    what: `InferenceService ${name} to be held (${reason})`,
    timeoutMs: WAIT_MS,
  }).catch(async (error: unknown) => {
    console.error(await diagnose(steady.stage.ground, NAMESPACE));
    throw error;
  });
  const follower = follow(client, key, () => {});
  await delay(HOLD_MS);
  await follower.stop();
  const places = follower.sightings.map(({ status }) => [
    status.candidate?.phase,
    status.candidate?.weight,
    status.traffic?.programmed?.candidate,
  ]);
  expect(places).toEqual([['Shifting', 50, 5000]]);
  const after = await client.get(inferenceServices, key);
  expect(after?.status?.rejected ?? []).toEqual([]);
  expect(reasonOf(after as InferenceService)).toBe(reason);
  return after as InferenceService;
}

const verdictOf = ({ status }: InferenceService) => status?.candidate?.guards?.find(({ name }) => name === 'guard');

/** The operator's pods can no longer ask the candidate's what it counts. */
async function cutEvidence(): Promise<Cut[]> {
  const { client } = steady.stage.ground;
  const labelSelector = `${LABELS.inferenceService}=${NAMESPACE},${LABELS.version}=${NEXT}`;
  const [operators, candidates] = await Promise.all([
    client.list(pods, OPERATOR_NAMESPACE),
    client.list(pods, NAMESPACE, { labelSelector }),
  ]);
  expect(candidates.length).toBeGreaterThan(0);
  const pairs = operators.flatMap((from) => candidates.map((to) => [from.status?.podIP, to.status?.podIP] as const));
  return Promise.all(pairs.map(([from = '', to = '']) => cutOff(from, to, PORTS.admin)));
}

describe('a rollout stays where it is, and nothing is rolled back,', () => {
  test.concurrent('while both versions fail alike: SharedFault', async () => {
    await askFor('shared', failing, '3.0.0');
    const service = await held('shared', 'SharedFault');
    expect(verdictOf(service)).toMatchObject({ verdict: 'SharedFault', limit: '5%' });
  });

  test.concurrent('while nobody asks it anything', async () => {
    await askFor('silent', steady.trained.version, '4.0.0');
    expect(verdictOf(await held('silent', 'GuardBlind'))).toMatchObject({ verdict: 'Blind', n: 0 });
  });

  test.concurrent('while the Prometheus of its guard is down, whatever traffic there is', async () => {
    await askFor('unmeasured', steady.trained.version, '6.0.0');
    const service = await held('unmeasured', 'GuardBlind');
    expect(verdictOf(service)).toMatchObject({ verdict: 'Blind' });
    expect(service.status?.candidate?.guards?.[0]?.message).toContain('127.0.0.1:9');
  });

  test.concurrent('while no evidence reaches the operator, and goes on when it does again', async () => {
    const { stage, trained, traffic } = steady;
    await askFor(NAMESPACE, trained.version, NEXT);
    await awaitObject(
      stage.ground.client,
      inferenceServices,
      keyIn(stage, NAMESPACE),
      ({ status }) => status?.candidate?.awaitingApproval === true,
      { what: 'the rollout to await approval', timeoutMs: WAIT_MS },
    );
    const cuts = await cutEvidence();
    try {
      await approve(stage, NAMESPACE);
      expect(verdictOf(await held(NAMESPACE, 'GuardBlind'))).toMatchObject({ verdict: 'Blind' });
    } finally {
      for (const cut of cuts) await cut.restore();
    }
    await awaitGoal(stage.ground.client, inferenceServices, keyIn(stage, NAMESPACE), 'RolloutComplete', WAIT_MS);
    traffic.allow(NEXT);
  });
});

test('and no answer was lost meanwhile but those that both versions refuse', async () => {
  for (const { traffic, service } of all()) {
    if (service.metadata.name !== 'silent') await traffic.hear(40);
    const suspects = service.metadata.name === 'shared' ? ['2.0.0', '3.0.0'] : [];
    expect(traffic.tally(...suspects).unexcused.slice(0, 5)).toEqual([]);
  }
});
