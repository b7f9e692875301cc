import { encodeReport } from '@slipway/crds';
import { API_VERSION, type GateResult } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { expectStatus } from '../../../test/expectStatus.ts';
import { HandDrivenJobs } from '../../../test/jobController.ts';
import { DIGEST, OTHER_DIGEST } from '../../../test/trainingBuilders.ts';
import { jobs, persistentVolumeClaims } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices, modelVersions } from '../../api/kinds.ts';
import { keyOf } from '../../kube/resource.ts';
import { verificationJob, verificationJobName } from '../../render/verificationJob.ts';
import { modelVersionController } from './controller.ts';

const AS_TEST = { fieldManager: 'test' };

let under: UnderTest;
let hand: HandDrivenJobs;

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), (config) => [modelVersionController(config)]);
  hand = new HandDrivenJobs(under.client);
  await claim('models');
});
afterAll(() => under.stop());

const claim = (name: string) =>
  under.client.create(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: under.namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });

const create = (model: string, { store = 'models', digest = DIGEST } = {}) =>
  under.client.create(modelVersions, {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: { name: `${model}-1.0.0`, namespace: under.namespace },
    spec: {
      model,
      version: '1.0.0',
      artifact: { uri: `pvc://${store}/${model}/files`, digest, format: 'ONNX' },
      gates: [{ name: 'accuracy', metric: 'accuracy', min: '0.8' }],
    },
  });

const verificationOf = (model: string) => under.until(jobs, verificationJobName(`${model}-1.0.0`));
const reason = (model: string, want: string) =>
  under.until(modelVersions, `${model}-1.0.0`, ({ status }) =>
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(want),
  );

const gate: GateResult = {
  name: 'accuracy',
  verdict: 'Pass',
  value: 0.83,
  low: 0.81,
  high: 0.85,
  limit: 0.8,
  n: 900,
  message: 'ok',
};
const report = (verdict: GateResult) =>
  encodeReport({
    schema: 'slipway.dev/verification/v1',
    digest: DIGEST,
    files: 3,
    bytes: 1000,
    signature: {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    },
    gates: [verdict],
  }) ?? '';

async function verify(model: string, message: string, exitCode: 0 | 1): Promise<void> {
  const job = await verificationOf(model);
  await hand.pod(job, { container: 'verify', phase: exitCode === 0 ? 'Succeeded' : 'Failed', exitCode, message });
  await hand.end(job, exitCode === 0 ? 'Complete' : 'Failed');
}

test('verified files and passed gates make a version Ready, and its Job goes', async () => {
  await create('good');
  const job = await verificationOf('good');
  expect(job.spec?.template.spec?.volumes).toContainEqual(
    expect.objectContaining({ persistentVolumeClaim: expect.objectContaining({ claimName: 'models' }) }),
  );
  await verify('good', report(gate), 0);
  const ready = await reason('good', 'Ready');
  expect(expectStatus(ready)).toEqual({
    Ready: 'True',
    Reconciling: 'False',
    Stalled: 'False',
    Verified: 'True',
    GatesPassed: 'True',
    Approved: 'True',
    StageReached: 'True',
  });
  expect(ready.status).toMatchObject({ files: 3, bytes: 1000, gates: [{ verdict: 'Pass', low: '0.81' }] });
  expect(ready.status?.signature?.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
  await under.untilGone(jobs, job.metadata.name);
});

test('a digest that does not match is final, and never Ready', async () => {
  await create('forged');
  const message = encodeReport({
    schema: 'slipway.dev/termination/v1',
    reason: 'DigestMismatch',
    message: 'the files hash to sha256:bb',
  });
  await verify('forged', message ?? '', 1);
  const condemned = await reason('forged', 'DigestMismatch');
  expect(expectStatus(condemned)).toMatchObject({
    Ready: 'False',
    Verified: 'False',
    Stalled: 'True',
    GatesPassed: 'Unknown',
  });
  expect(condemned.status?.conditions?.[0]?.message).toContain('the files hash to sha256:bb');
  await under.untilGone(jobs, verificationJobName('forged-1.0.0'));
});

test('a failed gate is named with its numbers', async () => {
  await create('weak');
  await verify('weak', report({ ...gate, verdict: 'Fail', value: 0.7, low: 0.68, high: 0.72, message: '' }), 0);
  const failed = await reason('weak', 'GateFailed');
  expect(expectStatus(failed)).toMatchObject({
    Ready: 'False',
    Verified: 'True',
    GatesPassed: 'False',
    Stalled: 'True',
  });
  expect(failed.status?.conditions?.[0]?.message).toContain(
    'accuracy Fail (0.7, 95 % interval 0.68 to 0.72 against 0.8, n=900)',
  );
});

test('a claim that does not exist is named', async () => {
  await create('lost', { store: 'nowhere' });
  const waiting = await reason('lost', 'ClaimMissing');
  expect(expectStatus(waiting)).toMatchObject({ Ready: 'False', Reconciling: 'True', Verified: 'Unknown' });
  expect(waiting.status?.conditions?.[0]?.message).toContain('PersistentVolumeClaim nowhere');
});

test('who serves a version and who rejected it follows the InferenceServices', async () => {
  await create('shown', { digest: OTHER_DIGEST });
  const identity = {
    apiVersion: API_VERSION,
    kind: 'InferenceService',
    metadata: { name: 'api', namespace: under.namespace },
  };
  await under.client.apply(
    inferenceServices,
    { ...identity, spec: { model: { name: 'shown', version: '1.0.0' } } } as InferenceService,
    AS_TEST,
  );
  const stable = { version: '1.0.0', digest: OTHER_DIGEST, revision: 'abc' };
  await under.client.applyStatus(
    inferenceServices,
    { ...identity, status: { stable } } as unknown as InferenceService,
    AS_TEST,
  );
  await under.until(modelVersions, 'shown-1.0.0', ({ status }) =>
    expect(status).toMatchObject({ servedBy: ['api'], servedByNames: 'api' }),
  );
  const rejection = { ...stable, reason: 'GuardFailed', message: 'errors', at: '2026-01-01T00:00:00Z' };
  await under.client.applyStatus(
    inferenceServices,
    {
      ...identity,
      status: { stable: { ...stable, version: '0.9.0', digest: DIGEST }, rejected: [rejection] },
    } as unknown as InferenceService,
    AS_TEST,
  );
  const rejected = await under.until(modelVersions, 'shown-1.0.0', ({ status }) =>
    expect(status?.rejectedBy).toEqual(['api']),
  );
  expect(rejected.status).not.toHaveProperty('servedBy');
  expect(rejected.status).not.toHaveProperty('servedByNames');
});

test('a Job that somebody else made in the name of the verification is deleted unread, and decides nothing', async () => {
  const mv = await create('stranger', { store: 'later' });
  await reason('stranger', 'ClaimMissing');
  const name = verificationJobName('stranger-1.0.0');
  const pattern = verificationJob(mv, { image: 'example.com/forger', pullPolicy: 'Never' });
  const forged = await under.client.create(jobs, pattern);
  await hand.pod(forged, { container: 'verify', phase: 'Succeeded', exitCode: 0, message: report(gate) });
  await hand.end(forged, 'Complete').catch(() => undefined);
  await claim('later');
  // Claims are not watched: what a person does to the version makes the operator look at once.
  await under.client.merge(modelVersions, keyOf(mv), { metadata: { annotations: { claim: 'made' } } });
  const own = await under.until(jobs, name, ({ metadata }) => {
    expect(metadata.uid).not.toBe(forged.metadata.uid);
    expect(metadata.deletionTimestamp).toBeUndefined();
  });
  expect(own.spec?.template.spec?.containers[0]?.image).not.toBe('example.com/forger');
  await verify('stranger', report({ ...gate, verdict: 'Fail' }), 0);
  const decided = await reason('stranger', 'GateFailed');
  expect(decided.status?.verifier).toBe(own.metadata.uid);
});
