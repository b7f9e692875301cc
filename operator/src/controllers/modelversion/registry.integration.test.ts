import type { ModelVersionSpec } from '@slipway/crds';
import { digestDirectory, encodeReport } from '@slipway/crds';
import { API_VERSION, ENV } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { HandDrivenJobs } from '../../../test/jobController.ts';
import { digestOf, ServedModels } from '../../../test/servedModels.ts';
import { jobs, persistentVolumeClaims } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices, type ModelVersion, modelVersions } from '../../api/kinds.ts';
import { brokenLink } from '../../domain/chain.ts';
import type { Stored } from '../../kube/wire.ts';
import { removalJobName } from '../../render/removalJob.ts';
import { verificationJobName } from '../../render/verificationJob.ts';
import { modelVersionController } from './controller.ts';

let models: ServedModels;
let hand: HandDrivenJobs;
beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'), (config) => [modelVersionController(config)]);
  hand = new HandDrivenJobs(models.under.client);
  await models.under.client.create(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: models.key('models'),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
});
afterAll(() => models.under.stop());

const create = (model: string, minor: number, spec: Partial<ModelVersionSpec> = {}) =>
  models.under.client.create(modelVersions, {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: models.key(`${model}-1.${minor}.0`),
    spec: {
      model,
      version: `1.${minor}.0`,
      artifact: { uri: `pvc://models/${model}/${minor}`, digest: digestOf(minor), format: 'ONNX' },
      ...spec,
    },
  });
const change = (name: string, spec: Partial<ModelVersionSpec>, annotations = {}) =>
  models.under.client.merge(modelVersions, models.key(name), { metadata: { annotations }, spec });
const until = (name: string, expectation: (version: Stored<ModelVersion>) => void) =>
  models.under.until(modelVersions, name, expectation);
const conditionOf = ({ status }: ModelVersion, type: string) => {
  const found = status?.conditions?.find((c) => c.type === type);
  return `${found?.status} ${found?.reason}`;
};
const stage = (name: string, wanted: string) => until(name, ({ status }) => expect(status?.stage).toBe(wanted));

/** The Job that verifies a version, and what it says; `gates`: one verdict of each. */
async function verify(name: string, minor: number, gates: readonly ('Pass' | 'Fail')[] = []) {
  const job = await models.under.until(jobs, verificationJobName(name));
  const report = encodeReport({
    schema: 'slipway.dev/verification/v1',
    digest: digestOf(minor),
    files: 3,
    bytes: 1000,
    signature: { inputs: [], outputs: [] },
    gates: gates.map((verdict, i) => ({
      name: `g${i}`,
      verdict,
      value: 0.8,
      low: 0.7,
      high: 0.9,
      limit: 0.5,
      n: 900,
      message: '',
    })),
  });
  await hand.pod(job, { container: 'verify', phase: 'Succeeded', exitCode: 0, message: report ?? '' });
  await hand.end(job, 'Complete');
  return job;
}
const approval = (by: string, minor: number) => ({
  by,
  stage: 'Production' as const,
  digest: digestOf(minor),
  at: '2030-01-31T09:00:00Z',
});
const model = (model: object) =>
  models.under.client.merge(inferenceServices, models.key('flights'), { spec: { model } });
const untilService = (expectation: (service: Stored<InferenceService>) => void) =>
  models.under.until(inferenceServices, 'flights', expectation);

test('a version waits in its stage for two people, enters Production when they approved, and its history shows it', async () => {
  await create('flights', 0, { stage: 'Production', approval: 'TwoPeople' });
  await verify('flights-1.0.0', 0);
  const waiting = await until('flights-1.0.0', (mv) => expect(conditionOf(mv, 'Ready')).toBe('False AwaitingApproval'));
  expect(conditionOf(waiting, 'Approved')).toBe('False AwaitingApproval');
  await change('flights-1.0.0', { approvals: [approval('alice', 0)] });
  await until('flights-1.0.0', ({ status }) =>
    expect(status?.conditions?.find(({ type }) => type === 'Approved')?.message).toContain('has that of alice'),
  );
  await change('flights-1.0.0', { approvals: [approval('alice', 0), approval('bob', 0)] });
  const { status } = await stage('flights-1.0.0', 'Production');
  expect(status).toMatchObject({
    current: true,
    history: [{ to: 'Candidate' }, { to: 'Production', by: 'alice, bob' }],
  });
  expect(brokenLink(status?.history ?? [])).toBeUndefined();
});

test('a service that follows serves what is in Production, and begins a rollout when that moves', async () => {
  const service = await models.service('flights');
  await model({ version: null, follow: 'Production' });
  const first = await models.deploymentOf('1.0.0', 2);
  await models.hand.serve(first, 2);
  await models.hand.program('flights', { [first.metadata.name]: 10_000 });
  const { status } = await untilService((infs) => expect(infs.status?.stable?.version).toBe('1.0.0'));
  expect(service.spec.model).toMatchObject({ version: '1.0.0' });

  await create('flights', 1, { gates: [{ name: 'g0', metric: 'accuracy', versus: 'Production' }] });
  const job = await verify('flights-1.1.0', 1, ['Pass']);
  const env = job.spec?.template.spec?.containers[0]?.env ?? [];
  const rivals = JSON.parse(env.find(({ name }) => name === ENV.rivals)?.value ?? '');
  expect(rivals).toMatchObject([{ as: ['Production'], version: '1.0.0', uri: 'pvc://models/flights/0' }]);
  const judged = await until('flights-1.1.0', (mv) =>
    expect(conditionOf(mv, 'GatesPassed')).toBe('True AllGatesPassed'),
  );
  expect(judged.status?.conditions?.find(({ type }) => type === 'GatesPassed')?.message).toContain(
    'Compared with 1.0.0 (Production).',
  );
  const before = await untilService(() => undefined);
  expect(before.status?.rolloutID).toBe(status?.rolloutID);

  await change('flights-1.1.0', { stage: 'Production' });
  await untilService((infs) => expect(infs.status?.candidate).toMatchObject({ version: '1.1.0', phase: 'Preparing' }));
  await until('flights-1.0.0', ({ status: of }) => expect([of?.current, of?.everServed]).toEqual([undefined, true]));
  await until('flights-1.1.0', ({ status: of }) => expect(of).toMatchObject({ current: true, servedBy: ['flights'] }));
});

test('naming the version that is followed restarts nothing', async () => {
  const { status: before } = await untilService(() => undefined);
  const { metadata } = await model({ version: '1.1.0', follow: null });
  const { status: after } = await untilService((infs) =>
    expect(infs.status?.observedGeneration).toBe(metadata.generation),
  );
  expect([after?.rolloutID, after?.candidate?.startedAt]).toEqual([before?.rolloutID, before?.candidate?.startedAt]);
});

test('archiving the version that comes takes it back, and the one before is current again', async () => {
  await change('flights-1.1.0', { stage: 'Archived' });
  await untilService((infs) => expect(infs.status?.rejected?.[0]).toMatchObject({ version: '1.1.0' }));
  await until('flights-1.0.0', ({ status }) => expect(status?.current).toBe(true));
  await model({ version: null, follow: 'Production' });
  const { status } = await models.untilCondition('flights', 'RolloutComplete', 'True', 'Complete');
  expect(status?.stable?.version).toBe('1.0.0');
});

test('a current version that was rolled back says so and keeps its place, and is not tried again until it moves', async () => {
  await create('flights', 2, { stage: 'Production' });
  await verify('flights-1.2.0', 2);
  const { status } = await untilService((infs) => expect(infs.status?.candidate?.version).toBe('1.2.0'));
  await models.annotate('flights', { 'slipway.dev/abort': status?.rolloutID ?? '' });
  await models.untilCondition('flights', 'Stalled', 'True', 'RolledBack');
  const current = await until('flights-1.2.0', (mv) => expect(conditionOf(mv, 'StageReached')).toBe('True RolledBack'));
  expect(current.status).toMatchObject({ current: true, rejectedBy: ['flights'], stage: 'Production' });
  await change('flights-1.2.0', { stage: 'Candidate' });
  const back = await models.untilCondition('flights', 'RolloutComplete', 'True', 'Complete');
  expect(back.status?.stable?.version).toBe('1.0.0');
  await change('flights-1.2.0', { stage: 'Production' });
  const refused = await until('flights-1.2.0', (mv) =>
    expect(conditionOf(mv, 'StageReached')).toBe('False RolledBack'),
  );
  expect(refused.status?.stage).toBe('Candidate');
});

test('with nothing in Production the service goes on, and says how a version gets there', async () => {
  await change('flights-1.0.0', { stage: 'Candidate' });
  const infs = await models.untilCondition('flights', 'Reconciling', 'True', 'ModelVersionMissing');
  expect(infs.status?.conditions?.find(({ type }) => type === 'Reconciling')?.message).toContain(
    'kubectl slipway promote mv/flights-VERSION --stage=Production',
  );
  expect(infs.status?.stable?.version).toBe('1.0.0');
});

test('a verification that a person asks for is made once, and answered by its own Job', async () => {
  await create('asked', 0);
  await verify('asked-1.0.0', 0);
  await until('asked-1.0.0', (mv) => expect(conditionOf(mv, 'Ready')).toBe('True Ready'));
  await models.under.untilGone(jobs, verificationJobName('asked-1.0.0'));
  await change('asked-1.0.0', {}, { 'slipway.dev/verify': 'now' });
  const again = await verify('asked-1.0.0', 0);
  expect(again.metadata.annotations).toMatchObject({ 'slipway.dev/verify': 'now' });
  await until('asked-1.0.0', ({ status }) => expect(status?.verifiedFor).toBe('now'));
  await models.under.untilGone(jobs, verificationJobName('asked-1.0.0'));
});

test('retention announces what it will take, and takes nothing that was in use', async () => {
  const retention = { newest: 1 };
  for (const minor of [0, 1]) {
    const digest = digestOf(minor);
    const artifact = { uri: `pvc://models/kept/${digestDirectory(digest)}`, digest, format: 'ONNX' as const };
    await create('kept', minor, { retention, artifact });
    await verify(`kept-1.${minor}.0`, minor);
  }
  const leaving = await until('kept-1.0.0', (mv) => expect(conditionOf(mv, 'FilesKept')).toBe('False Leaving'));
  expect(conditionOf(leaving, 'Ready')).toBe('False Leaving');
  const newest = await until('kept-1.1.0', (mv) => expect(conditionOf(mv, 'FilesKept')).toBe('True Kept'));
  expect(conditionOf(newest, 'Ready')).toBe('True Ready');
  const key = models.key(removalJobName('kept-1.0.0'));
  expect(await models.under.client.get(jobs, key)).toBeUndefined();
});
