import { ANNOTATIONS } from '@slipway/crds/contract';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '@slipway/operator/api/builtin.ts';
import {
  type InferenceService,
  inferenceServices,
  type ModelVersion,
  modelVersions,
  type TrainingJob,
  trainingJobs,
} from '@slipway/operator/api/kinds.ts';
import type { Stored } from '@slipway/operator/kube/wire.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { type Ground, openGround } from '../ground/ground.ts';
import { ensureRestrictedNamespace } from '../ground/namespaces.ts';
import { flightRows } from '../load/rows.ts';
import { APPROVER } from '../story/approval.ts';
import { claim, tinyTraining } from '../story/manifests.ts';
import { sample } from '../story/samples.ts';
import { FIELD_MANAGER, keyIn, type Stage } from '../story/stage.ts';
import { openTraffic, type Traffic } from '../story/traffic.ts';
import { train } from '../story/training.ts';

/** The whole circle on real flights: trained on winter, asked about summer, trained anew. One person says yes once. */
const NAMESPACE = 'closed-loop';
const DRIFT_MS = 300_000;
const TRAINING_MS = 300_000;
const ROLLOUT_MS = 180_000;
const PER_SECOND = 40;

let ground: Ground;
let stage: Stage;
let traffic: Traffic | undefined;

beforeAll(async () => {
  ground = await openGround();
  stage = { ground, namespace: NAMESPACE, tell: (what) => console.error(`  ${what}`) };
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=90s');
  await ensureRestrictedNamespace(ground.client, NAMESPACE);
  const store = claim(NAMESPACE) as PersistentVolumeClaim;
  await ground.client.apply(persistentVolumeClaims, store, { fieldManager: FIELD_MANAGER });
});
afterAll(async () => {
  await traffic?.stop();
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  await ground.close();
});

/** The first version, of January and February, goes to Production by itself: nobody asked for an approval of it. */
const winter = (): Promise<{ version: ModelVersion }> =>
  train(
    stage,
    tinyTraining(NAMESPACE, 'winter', {
      parameters: { epochs: '1', rows: '10000', evaluationRows: '1000', monthFrom: '1', monthTo: '2' },
      promotion: { stage: 'Production' },
    }),
  );

async function applied<T extends InferenceService | TrainingJob>(file: string): Promise<T> {
  const [manifest] = await sample<T>(file, NAMESPACE, 'retraining');
  if (manifest === undefined) throw new Error(`config/samples/retraining/${file} holds no object`);
  return manifest;
}

const service = (what: string, timeoutMs: number, fits: (infs: Stored<InferenceService>) => boolean) =>
  awaitObject(ground.client, inferenceServices, keyIn(stage, 'flights'), fits, { what, timeoutMs });

const conditionOf = ({ status }: InferenceService, type: string) => status?.conditions?.find((c) => c.type === type);

/** As `kubectl slipway approve mv/… --stage Production` does. */
async function approveVersion({ metadata, spec }: Stored<ModelVersion>): Promise<void> {
  const approval = {
    stage: 'Production',
    by: APPROVER,
    digest: spec.artifact.digest,
    at: `${new Date().toISOString().slice(0, 19)}Z`,
  };
  await ground.client.merge(modelVersions, keyIn(stage, metadata.name), { spec: { approvals: [approval] } });
}

test('real drift is retrained, gated, approved, rolled out and gone, and one approval is all that a person did', async () => {
  try {
    await winter();
    await ground.client.apply(trainingJobs, await applied<TrainingJob>('trainingjob.yaml'), {
      fieldManager: FIELD_MANAGER,
    });
    const manifest = await applied<InferenceService>('inferenceservice.yaml');
    const drift = { ...manifest.spec.drift, window: '1m' };
    const traffics = { ...manifest.spec.traffic, hostnames: [`${NAMESPACE}.example.com`] };
    const quick = { ...manifest, spec: { ...manifest.spec, drift, traffic: traffics } } as InferenceService;
    await ground.client.apply(inferenceServices, quick, { fieldManager: FIELD_MANAGER });
    const serving = await awaitGoal(ground.client, inferenceServices, keyIn(stage, 'flights'), 'Ready', ROLLOUT_MS);
    expect(serving.status?.stable?.version).toBe('0.1.0');

    const summer = await flightRows(4000, { monthFrom: 5, monthTo: 6 });
    const named = { ...serving, spec: { ...serving.spec, model: { name: 'flights', version: '0.1.0' } } };
    traffic = await openTraffic(stage, named, summer, PER_SECOND);
    traffic.allow('0.1.0', '0.2.0');

    const drifted = await service(
      'flights to drift',
      DRIFT_MS,
      (i) => conditionOf(i, 'DriftDetected')?.status === 'True',
    );
    expect(conditionOf(drifted, 'DriftDetected')?.message).toContain('month');

    const retraining = await awaitObject(
      ground.client,
      trainingJobs,
      keyIn(stage, 'flights-r1'),
      ({ status }) => status?.phase === 'Succeeded',
      { what: 'the retraining', timeoutMs: TRAINING_MS },
    );
    expect(retraining.metadata.annotations?.[ANNOTATIONS.trigger]).toContain('Drift of');
    const waiting = await service('the version to await approval', ROLLOUT_MS, ({ status }) =>
      Boolean(status?.retraining?.runs?.some(({ outcome }) => outcome === 'AwaitingApproval')),
    );
    expect(waiting.status?.stable?.version).toBe('0.1.0');
    const made = await ground.client.get(modelVersions, keyIn(stage, 'flights-0.2.0'));
    expect(made?.spec.provenance).toMatchObject({ trainingJob: 'flights-r1', parent: 'flights-0.1.0' });
    expect(made?.status?.gates?.every(({ verdict }) => verdict === 'Pass')).toBe(true);

    await approveVersion(made as Stored<ModelVersion>);
    await service('0.2.0 to be stable', ROLLOUT_MS, ({ status }) => status?.stable?.version === '0.2.0');
    await service(
      'the drift to be gone',
      DRIFT_MS,
      (i) => conditionOf(i, 'DriftDetected')?.reason === 'NoDrift' && i.status?.drift?.version === '0.2.0',
    );
    // Told by a controller of its own, a moment before or after.
    const ended = await service('the retraining to have ended', ROLLOUT_MS, ({ status }) =>
      Boolean(status?.retraining?.runs?.every(({ outcome }) => outcome === 'Promoted')),
    );
    expect(ended.status?.retraining?.runs?.map(({ trigger }) => trigger)).toEqual(['Drift']);
    expect(traffic.tally().unexcused).toEqual([]);
  } catch (error) {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  }
});
