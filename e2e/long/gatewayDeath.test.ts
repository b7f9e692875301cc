import { type InferenceService, inferenceServices, modelVersions } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { startGatewayController, stopGatewayController } from '../ground/gatewayController.ts';
import { killOperator, operatorIsBack } from '../ground/operator.ts';
import { versionOver } from '../story/manifests.ts';
import { podUids, rollOut, sameBytesAs } from '../story/rollout.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';
import { publishFaulty } from '../story/variants/publish.ts';

const NAMESPACE = 'gateway-death';
const PER_SECOND = 100;
const [GOOD, BAD] = ['3.0.0', '2.0.0'];
const WAIT_MS = 120_000;

let steady: Steady;
let first: string;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: [{ weight: 100 }] }, { perSecond: PER_SECOND });
  first = steady.trained.version.spec.version;
  await publishFaulty(steady.stage, steady.trained.version, BAD, { kind: 'failing', share: 0.3 });
});
afterAll(async () => {
  if (steady === undefined) return;
  await startGatewayController(steady.stage.ground);
  await steady.close();
});

const key = () => keyIn(steady.stage, steady.service);
const merge = (spec: object) => steady.stage.ground.client.merge(inferenceServices, key(), { spec });
const complete = ({ status }: InferenceService) => status?.conditions?.find(({ type }) => type === 'RolloutComplete');

async function until(what: string, fits: (infs: InferenceService) => boolean): Promise<InferenceService> {
  const { ground } = steady.stage;
  try {
    const options = { what: `the service ${what}`, timeoutMs: WAIT_MS };
    return await awaitObject(ground.client, inferenceServices, key(), fits, options);
  } catch (error) {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  }
}

describe('a rollback while nothing can program the gateway', () => {
  const guarded = (max: string) => ({
    steps: [{ weight: 10, for: '10m' }, { weight: 100 }],
    guards: [{ name: 'errors', errors: { max } }],
  });

  test('says so and keeps the pods that are still being asked, even if the operator dies meanwhile', async () => {
    steady.traffic.allow(first, BAD);
    await merge({ model: { version: BAD }, rollout: guarded('90%') });
    await until('to give 10 %', ({ status }) => status?.traffic?.programmed?.candidate === 1000);
    await stopGatewayController(steady.stage.ground);
    await merge({ rollout: guarded('1%') });
    await until('to be rolling back', ({ status }) => status?.candidate?.phase === 'RollingBack');
    await killOperator(steady.stage.ground);
    await operatorIsBack(steady.stage.ground);
    await steady.traffic.hear(5 * PER_SECOND);
    const waiting = await until('to be rolling back still', ({ status }) => status?.candidate?.phase === 'RollingBack');
    expect(complete(waiting)?.reason).toBe('RollingBack');
    expect(complete(waiting)?.message).toContain('not yet programmed');
    expect(waiting.status?.candidate?.weight).toBe(0);
    expect(await podUids(steady.stage, NAMESPACE, BAD)).not.toEqual([]);
    expect(steady.traffic.answers.slice(-PER_SECOND).some(({ version }) => version === BAD)).toBe(true);
  });

  test('lands when it can, and the pods go', async () => {
    await startGatewayController(steady.stage.ground);
    const after = await awaitGoal(steady.stage.ground.client, inferenceServices, key(), 'RolledBack', WAIT_MS);
    steady.traffic.allow(first);
    expect(after.status?.rejected?.map(({ version }) => version)).toEqual([BAD]);
    await steady.traffic.hear(2 * PER_SECOND);
    expect(steady.traffic.answers.slice(-PER_SECOND).filter(({ version }) => version !== first)).toEqual([]);
    await expect.poll(() => podUids(steady.stage, NAMESPACE, BAD), { timeout: WAIT_MS }).toEqual([]);
  });
});

describe('a shift during which the gateway controller is killed', () => {
  test('goes on when another has taken over', async () => {
    const { ground } = steady.stage;
    const next = versionOver(steady.trained.version, GOOD);
    await ground.client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
    await awaitGoal(ground.client, modelVersions, keyIn(steady.stage, next), 'Ready', WAIT_MS);
    const steps = [10, 30, 50, 70].map((weight) => ({ weight, for: '2s' }));
    const policy = { steps: [...steps, { weight: 100 }], guards: [{ name: 'errors', errors: { max: '10%' } }] };
    const order = { name: NAMESPACE, from: first, to: GOOD, goal: 'RolloutComplete', policy } as const;
    const { predictor } = sameBytesAs(GOOD);
    const rollout = rollOut(steady.stage, steady.traffic, { ...order, predictor });
    await until('to give 30 %', ({ status }) => status?.traffic?.programmed?.candidate === 3000);
    await stopGatewayController(ground);
    await startGatewayController(ground);
    const { service, sightings } = await rollout;
    expect(service.status?.stable?.version).toBe(GOOD);
    const given = sightings.map(({ status }) => status.traffic?.programmed?.candidate ?? 0);
    expect(new Set(given)).toEqual(new Set([0, 1000, 3000, 5000, 7000, 10_000]));
  });

  test('and no answer was lost through any of it but those of the faulty version', async () => {
    await steady.traffic.hear(PER_SECOND);
    expect(steady.traffic.tally(BAD).unexcused.slice(0, 5)).toEqual([]);
  });
});
