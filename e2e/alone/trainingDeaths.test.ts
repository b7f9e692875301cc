import { modelVersions, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitGoal } from '../ground/await.ts';
import { operatorIsBack, replaceOperator } from '../ground/operator.ts';
import { pacedTraining } from '../story/paced.ts';
import { keyIn } from '../story/stage.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

const NAMESPACE = 'training-deaths';
const WAIT_MS = 240_000;
const PHASES = ['Pending', 'Running', 'Publishing', 'Succeeded'];

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop(NAMESPACE);
});
afterAll(() => shop?.close());

test('a run whose operator is deleted in each phase trains once and makes one version', () =>
  shop.told(async () => {
    const name = 'orphan';
    const { ground } = shop.stage;
    await shop.start(pacedTraining(NAMESPACE, name));
    const met: string[] = [];
    for (const phase of PHASES) {
      const reached = ({ status }: { status?: { phase?: string | undefined } }) =>
        PHASES.indexOf(status?.phase ?? '') >= PHASES.indexOf(phase);
      met.push((await shop.when(name, `to be ${phase}`, reached)).status?.phase ?? '');
      if (phase !== 'Succeeded') await replaceOperator(ground);
    }
    expect(met).toEqual(PHASES);
    await operatorIsBack(ground);
    await awaitGoal(ground.client, modelVersions, keyIn(shop.stage, `${name}-0.1.0`), 'Ready', WAIT_MS);
    expect((await shop.versionsOf(name)).map(({ spec }) => spec.version)).toEqual(['0.1.0']);
    const job = await ground.client.get(trainingJobs, keyIn(shop.stage, name));
    expect(job?.status).toMatchObject({ attempt: 0, restarts: 0, modelVersion: `${name}-0.1.0` });
    expect([job?.status?.disruptions ?? 0, job?.status?.attempts ?? []]).toEqual([0, []]);
  }));
