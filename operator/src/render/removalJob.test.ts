import { ENV } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { DIGEST, modelVersion } from '../../test/trainingBuilders.ts';
import { removalJob } from './removalJob.ts';

const runtime = { image: 'runtime:1', pullPolicy: 'IfNotPresent' as const };
const podOf = (artifact: object) => {
  const base = modelVersion();
  const job = removalJob(
    { ...base, spec: { ...base.spec, artifact: { ...base.spec.artifact, ...artifact } } },
    runtime,
  );
  const spec = job.spec?.template.spec;
  const [container] = spec?.containers ?? [];
  if (spec === undefined || container === undefined) throw new Error('there is no container');
  return { job, spec, container };
};

test('it is told the place and the digest, and can write the folder that the artifact lies in, and no other', () => {
  const { container, spec } = podOf({});
  const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
  expect(JSON.parse(env[ENV.artifact] ?? '')).toEqual({ uri: `pvc://models/flights/${DIGEST.replace(':', '-')}` });
  expect(env[ENV.modelDigest]).toBe(DIGEST);
  const mounts = (container.volumeMounts ?? []).filter(({ name }) => name !== 'tmp');
  expect(mounts).toEqual([
    expect.objectContaining({ mountPath: '/slipway/claims/models/flights', subPath: 'flights' }),
  ]);
  expect(spec.volumes).toContainEqual(expect.objectContaining({ persistentVolumeClaim: { claimName: 'models' } }));
});

test('it has the Secret of the store, and no claim where there is none', () => {
  const { container, spec } = podOf({ uri: 's3://models/flights/x', secretRef: { name: 's3' } });
  expect(container.volumeMounts).toContainEqual(
    expect.objectContaining({ mountPath: '/slipway/credentials/s3', readOnly: true }),
  );
  expect(spec.volumes?.some((volume) => volume.persistentVolumeClaim !== undefined)).toBe(false);
});

test('it belongs to the version, and is never tried again by itself', () => {
  const { job } = podOf({});
  expect(job.metadata).toMatchObject({
    name: expect.stringMatching(/^flights-.*-remove$/),
    labels: { 'app.kubernetes.io/component': 'removal' },
    ownerReferences: [{ kind: 'ModelVersion', name: 'flights-0.1.0', controller: true }],
  });
  expect(job.spec?.backoffLimit).toBe(0);
});
