import { inferenceServices, modelVersions } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitGoal } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { versionOver } from '../story/manifests.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady, serveBeside } from '../story/steady.ts';

const NAMESPACE = 'many';
const SERVICES = 20;
const NEXT = '2.0.0';
const PER_SECOND = 10;
const WAIT_MS = 480_000;
const POLICY = {
  steps: [{ weight: 20, for: '5s' }, { weight: 50 }, { weight: 100 }],
  guards: [{ name: 'errors', errors: { max: '20%' } }],
};
/** Forty pods at once must fit on a node of two cores. */
const small = (cpu: string) => ({ predictor: { resources: { requests: { cpu, memory: '128Mi' } } } });

let steady: Steady;
let all: readonly Steady[] = [];
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, POLICY, { perSecond: PER_SECOND });
  const { client } = steady.stage.ground;
  await client.merge(inferenceServices, keyIn(steady.stage, NAMESPACE), { spec: small('10m') });
  await awaitGoal(client, inferenceServices, keyIn(steady.stage, NAMESPACE), 'RolloutComplete', WAIT_MS);
  const names = Array.from({ length: SERVICES - 1 }, (_, i) => `many-${i + 2}`);
  const others = names.map((name) =>
    serveBeside(steady, steady.trained.version, name, POLICY, PER_SECOND, small('10m')),
  );
  all = [steady, ...(await Promise.all(others))];
});
afterAll(async () => {
  await Promise.all(all.filter((each) => each !== steady).map(({ traffic }) => traffic.stop()));
  await steady?.close();
});

test(`${SERVICES} rollouts at once all complete, and no caller of any notices`, async () => {
  const { stage, trained } = steady;
  const { client } = stage.ground;
  const next = versionOver(trained.version, NEXT);
  await client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
  await awaitGoal(client, modelVersions, keyIn(stage, next), 'Ready', WAIT_MS);
  const startedAt = Date.now();
  const rollOne = async ({ service, traffic }: Steady): Promise<number> => {
    traffic.allow(trained.version.spec.version, NEXT);
    const spec = { model: { version: NEXT }, ...small('11m') };
    await client.merge(inferenceServices, keyIn(stage, service), { spec });
    const { status } = await awaitGoal(client, inferenceServices, keyIn(stage, service), 'RolloutComplete', WAIT_MS);
    expect(status?.stable?.version).toBe(NEXT);
    traffic.allow(NEXT);
    return Date.now() - startedAt;
  };
  try {
    const times = await Promise.all(all.map(rollOne));
    console.error(
      `  ${SERVICES} rollouts at once: the first after ${Math.min(...times)} ms, the last ${Math.max(...times)} ms`,
    );
  } catch (error) {
    console.error(await diagnose(stage.ground, NAMESPACE));
    throw error;
  }
  for (const { traffic } of all) {
    await traffic.hear(PER_SECOND);
    expect(traffic.tally().unexcused.slice(0, 5)).toEqual([]);
  }
});
