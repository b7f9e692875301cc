import { inferenceServiceSpecSchema } from '@slipway/crds';
import { API_VERSION } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { hardeningViolations, restrictedViolations } from '../../test/podSecurity.ts';
import type { InferenceService } from '../api/kinds.ts';
import { type RevisionSpec, revisionOf } from '../domain/revision.ts';
import type { Stored } from '../kube/wire.ts';
import { deployment } from './deployment.ts';

const infs: Stored<InferenceService> = {
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
  spec: inferenceServiceSpecSchema.parse({ model: { name: 'flights', version: '1.0.0' } }),
};
const onClaim: RevisionSpec = {
  model: { name: 'flights', version: '1.0.0', digest: `sha256:${'ab'.repeat(32)}` },
  uri: 'pvc://models/flights/sha256-ab',
  predictor: {},
};
const inBucket: RevisionSpec = {
  ...onClaim,
  uri: 's3://models/flights/sha256-ab',
  secret: 'keys',
  bytes: 200 * 1024 ** 2,
};
const SIGNED = { signedBy: { name: 'release-key', key: 'cosign.pub' } };
const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };

const podOf = (spec: RevisionSpec) => {
  const pod = deployment(infs, spec, runtime).spec?.template.spec;
  if (pod === undefined) throw new Error('no pod');
  return pod;
};

describe('kserve/kserve#5200: a model that lies in no claim', () => {
  const pod = podOf(inBucket);
  const fetcher = pod.initContainers?.[0];

  test('is fetched by a container of its own before the server starts', () => {
    expect(fetcher).toMatchObject({ name: 'fetch', command: ['node', '/app/evaluator.mjs', 'fetch'] });
    expect(fetcher?.env).toEqual([
      { name: 'SLIPWAY_ARTIFACT', value: '{"uri":"s3://models/flights/sha256-ab","secret":"keys"}' },
      { name: 'SLIPWAY_MODEL_DIGEST', value: onClaim.model.digest },
      { name: 'SLIPWAY_ARTIFACT_DIR', value: '/slipway/served' },
      { name: 'SLIPWAY_MAX_BYTES', value: String(inBucket.bytes) },
    ]);
  });

  test('takes no more room than it needs, and asks the scheduler for it', () => {
    expect(pod.volumes).toContainEqual({ name: 'model', emptyDir: { sizeLimit: '274Mi' } });
    expect(fetcher?.resources?.requests).toMatchObject({ 'ephemeral-storage': '274Mi' });
  });

  test('shows the credentials to the fetcher alone, and the server can only read', () => {
    const credentials = { name: 'credentials-0', mountPath: '/slipway/credentials/keys', readOnly: true };
    expect(fetcher?.volumeMounts).toContainEqual(credentials);
    expect(pod.containers[0]?.volumeMounts).not.toContainEqual(credentials);
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: 'model',
      mountPath: '/slipway/served',
      readOnly: true,
    });
  });

  test('runs as restricted as every pod', () => {
    expect(restrictedViolations(pod)).toEqual([]);
    expect(hardeningViolations(pod)).toEqual([]);
  });
});

test.each([onClaim, inBucket])('a signed model is held against its key by the server', (spec) => {
  const [server] = podOf({ ...spec, ...SIGNED }).containers;
  expect(server?.env).toContainEqual({
    name: 'SLIPWAY_VERIFICATION_KEY_FILE',
    value: '/slipway/keys/verification/cosign.pub',
  });
  expect(podOf({ ...spec, ...SIGNED }).volumes).toContainEqual({
    name: 'verification-key',
    configMap: { name: 'release-key', items: [{ key: 'cosign.pub', path: 'cosign.pub' }], optional: true },
  });
});

test('where a model lies and who signed it changes no revision', () => {
  expect(revisionOf({ ...inBucket, ...SIGNED })).toBe(revisionOf(onClaim));
});

test('a model on a claim has no container before its server', () => {
  expect(podOf(onClaim)).not.toHaveProperty('initContainers');
});
