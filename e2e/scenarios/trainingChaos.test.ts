import { until } from '@slipway/hack/local-cluster/until.ts';
import { pods } from '@slipway/operator/api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal } from '../ground/await.ts';
import { tinyTraining } from '../story/manifests.ts';
import { isMidway, MIDWAY, PACED_STEPS, pacedTraining } from '../story/paced.ts';
import { keyIn } from '../story/stage.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

const NAMESPACE = 'training-chaos';
const WAIT_MS = 240_000;

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop(NAMESPACE);
});
afterAll(() => shop?.close());

const noPods = (name: string): Promise<unknown> =>
  until(async () => (await shop.podsOf(name)).length === 0, { what: `${name} to have no pod`, timeoutMs: WAIT_MS });

/** What it resumed from is told once a pod of it was prepared, which may be a pass after it runs. */
const trainsAgain = ({ status }: TrainingJob): boolean => status?.attempt === 1 && status.resumedFrom !== undefined;

async function losesRank(name: string): Promise<void> {
  await shop.start(pacedTraining(NAMESPACE, name, { nodes: 2 }));
  await shop.when(name, 'to be midway', isMidway);
  const before = await shop.podsOf(name);
  const victim = before.find(({ metadata }) => metadata.name.includes('-a0-1-'))?.metadata.name ?? '';
  await shop.stage.ground.client.delete(pods, keyIn(shop.stage, victim));
  const second = await shop.when(name, 'to train again', trainsAgain);
  const uids = before.map(({ metadata }) => metadata.uid);
  expect((await shop.podsOf(name)).filter(({ metadata }) => uids.includes(metadata.uid))).toEqual([]);
  expect(Number(second.status?.resumedFrom)).toBeGreaterThanOrEqual(MIDWAY);
  const { status } = await shop.succeeded(name);
  expect(status).toMatchObject({ attempt: 1, disruptions: 1, restarts: 0 });
  expect(status?.attempts).toMatchObject([{ attempt: 0, class: 'AttemptLost' }]);
  expect(status?.attempts?.[0]?.message).toMatch(/deleted/);
  expect(await shop.versionsOf(name)).toHaveLength(1);
}

const FAILS_FIRST = `
  if (process.env.SLIPWAY_ATTEMPT === '0') process.exit(7);
  import('/app/train.mjs');
`;

async function failsOnce(name: string): Promise<void> {
  const over = { model: { name }, command: ['node', '-e', FAILS_FIRST], failure: { restarts: 1 } };
  await shop.start(tinyTraining(NAMESPACE, name, over));
  const { status } = await shop.succeeded(name);
  expect(status).toMatchObject({ attempt: 1, restarts: 1 });
  expect(status?.disruptions ?? 0).toBe(0);
  expect(status?.attempts).toMatchObject([{ attempt: 0, class: 'UserError', exitCode: 7 }]);
}

async function isSuspended(name: string): Promise<void> {
  await shop.start(pacedTraining(NAMESPACE, name));
  await shop.when(name, 'to be midway', isMidway);
  await shop.change(name, { spec: { suspend: true } });
  const held = await shop.when(name, 'to be suspended', ({ status }) => status?.phase === 'Suspended');
  await noPods(name);
  await shop.change(name, { spec: { suspend: false } });
  const again = await shop.when(name, 'to train again', trainsAgain);
  expect(held.status?.progress?.step ?? 0).toBeLessThan(PACED_STEPS);
  expect(Number(again.status?.resumedFrom)).toBeGreaterThanOrEqual(MIDWAY);
  const { status } = await shop.succeeded(name);
  expect([status?.restarts ?? 0, status?.disruptions ?? 0]).toEqual([0, 0]);
  expect(await shop.versionsOf(name)).toHaveLength(1);
}

async function searches(name: string): Promise<void> {
  const sweep = {
    parameters: [
      { name: 'learningRate', values: ['0.01', '0.02'] },
      { name: 'hiddenUnits', values: ['8', '16'] },
    ],
    parallelism: 2,
    objective: { metric: 'loss', goal: 'Minimize' },
  };
  await shop.start(tinyTraining(NAMESPACE, name, { model: { name }, sweep }));
  const { status } = await shop.succeeded(name);
  const trials = status?.trials ?? [];
  expect(trials.map(({ parameters }) => Object.values(parameters).sort().join())).toHaveLength(4);
  const least = Math.min(...trials.map(({ value }) => Number(value)));
  const [best, ...others] = trials.filter((trial) => trial.best === true);
  expect([Number(best?.value), others]).toEqual([least, []]);
  const versions = await shop.versionsOf(name);
  expect(versions.map(({ metadata }) => metadata.name)).toEqual([status?.modelVersion]);
  expect(versions[0]?.spec.provenance?.parameters).toMatchObject(best?.parameters ?? {});
}

async function runsOut(name: string): Promise<void> {
  const { client } = shop.stage.ground;
  await shop.start(tinyTraining(NAMESPACE, name, { model: { name }, ttlAfterFinished: '1s' }));
  const isGone = async () => (await client.get(trainingJobs, keyIn(shop.stage, name))) === undefined;
  await until(isGone, { what: 'the job to be gone', timeoutMs: WAIT_MS });
  await noPods(name);
  await awaitGoal(client, modelVersions, keyIn(shop.stage, `${name}-0.1.0`), 'Ready', WAIT_MS);
}

describe.concurrent('a training run ends well, once, and counts what it cost when', () => {
  test.each([
    ['a pod of two is deleted: both start again, from the newest checkpoint', 'lost-rank', losesRank],
    ['its trainer fails once: that costs a restart, and no disruption', 'fails-once', failsOnce],
    ['it is suspended in mid-run and goes on', 'suspended', isSuspended],
    ['it is a sweep: four trials make one version, of the best', 'sweep', searches],
    ['its time is up: the job goes, and its version stays', 'short-lived', runsOut],
  ])('%s', (_what, name, story) => shop.told(() => story(name)));
});
