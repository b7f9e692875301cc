import { inferenceServiceSpecSchema } from '@slipway/crds';
import { API_VERSION } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { hardeningViolations, restrictedViolations } from '../../test/podSecurity.ts';
import type { InferenceService } from '../api/kinds.ts';
import { type RevisionSpec, revisionOf } from '../domain/revision.ts';
import type { Stored } from '../kube/wire.ts';
import { autoscaler } from './autoscaler.ts';
import { deployment } from './deployment.ts';
import { networkPolicy } from './networkPolicy.ts';
import { podDisruptionBudget } from './podDisruptionBudget.ts';
import { readRevisionRecord } from './revisionRecord.ts';
import { service } from './service.ts';

const infs: Stored<InferenceService> = {
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
  spec: inferenceServiceSpecSchema.parse({
    model: { name: 'flights', version: '1.0.0' },
    predictor: { replicas: { min: 2 } },
  }),
};
const spec: RevisionSpec = {
  model: { name: 'flights', version: '1.0.0', digest: `sha256:${'ab'.repeat(32)}` },
  uri: 'pvc://models/flights/sha256-ab/',
  predictor: { accelerator: { resource: 'nvidia.com/gpu', count: 1 }, placement: { priorityClassName: 'high' } },
};
const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };
const REVISION = revisionOf(spec);

describe('the Deployment of a revision', () => {
  const { metadata, spec: rendered } = deployment(infs, spec, runtime);
  const pod = rendered?.template.spec;

  test('makes pods that Pod Security restricted admits, without a token or a writable root', () => {
    if (pod === undefined) throw new Error('no pod');
    expect(restrictedViolations(pod)).toEqual([]);
    expect(hardeningViolations(pod)).toEqual([]);
  });

  test('mounts its artifact alone, read-only', () => {
    expect(pod?.volumes).toContainEqual({
      name: 'model',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
    expect(pod?.containers[0]?.volumeMounts).toContainEqual({
      name: 'model',
      mountPath: '/slipway/served',
      subPath: 'flights/sha256-ab',
      readOnly: true,
    });
  });

  test('says nothing about the number of its pods, and takes none away while it replaces one', () => {
    expect(rendered).not.toHaveProperty('replicas');
    expect(rendered?.strategy?.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });

  test('selects the pods of its revision, and no other', () => {
    expect(rendered?.selector.matchLabels).toMatchObject({ 'slipway.dev/revision': REVISION });
    expect(rendered?.template.metadata?.labels).toMatchObject(rendered?.selector.matchLabels ?? {});
    expect(service(infs, spec).spec?.selector).toEqual(rendered?.selector.matchLabels);
    expect(podDisruptionBudget(infs, REVISION).spec?.selector).toEqual(rendered?.selector);
  });

  test('keeps what its revision runs, to be made again from', () => {
    expect(metadata.name).toBe(`flights-${REVISION}`);
    expect(readRevisionRecord({ apiVersion: '', kind: '', metadata })).toEqual(spec);
    expect(readRevisionRecord(service(infs, spec))).toEqual(spec);
    const damaged = { ...metadata, annotations: { 'slipway.dev/revision-spec': '{' } };
    expect(readRevisionRecord({ apiVersion: '', kind: '', metadata: damaged })).toBeUndefined();
  });

  test('answers on its REST and gRPC ports, by which its Service and its NetworkPolicy know them', () => {
    const ports = Object.fromEntries(
      (pod?.containers[0]?.ports ?? []).map(({ name, containerPort }) => [name, containerPort]),
    );
    expect(ports).toEqual({ rest: 8080, grpc: 8081, admin: 9090 });
    expect(pod?.containers[0]?.env).toContainEqual({ name: 'SLIPWAY_GRPC_PORT', value: '8081' });
    expect(service(infs, spec).spec?.ports).toMatchObject([
      { name: 'http', port: 80, targetPort: 'rest' },
      { name: 'grpc', port: 8081, targetPort: 'grpc' },
    ]);
    const [everybody, operator] = networkPolicy(infs, ['slipway-system', 'monitoring']).spec?.ingress ?? [];
    expect(everybody).toEqual({
      ports: [
        { port: 8080, protocol: 'TCP' },
        { port: 8081, protocol: 'TCP' },
      ],
    });
    expect(operator).toEqual({
      ports: [{ port: 9090, protocol: 'TCP' }],
      from: ['slipway-system', 'monitoring'].map((name) => ({
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
      })),
    });
  });

  test('hands its settings to the server', () => {
    const quick = { ...spec, predictor: { ...spec.predictor, limits: { timeout: '500ms' } } };
    const [container] = deployment(infs, quick, runtime).spec?.template.spec?.containers ?? [];
    expect(container?.env).toContainEqual({ name: 'SLIPWAY_SETTINGS', value: '{"limits":{"requestTimeoutMs":500}}' });
  });

  test('asks callers for the keys of a Secret, which is read again when it changes', () => {
    const guarded = { ...spec, predictor: { ...spec.predictor, auth: { secretRef: { name: 'flights-keys' } } } };
    const { containers: [container] = [], volumes } = deployment(infs, guarded, runtime).spec?.template.spec ?? {};
    const value = '{"auth":{"keysFile":"/slipway/auth/keys"}}';
    expect(container?.env).toContainEqual({ name: 'SLIPWAY_SETTINGS', value });
    expect(container?.volumeMounts).toContainEqual({ name: 'auth', mountPath: '/slipway/auth', readOnly: true });
    const items = [{ key: 'keys', path: 'keys' }];
    expect(volumes).toContainEqual({ name: 'auth', secret: { secretName: 'flights-keys', items } });
  });

  test('goes where its accelerator and placement say', () => {
    expect(pod?.containers[0]?.resources).toEqual({ limits: { 'nvidia.com/gpu': '1' } });
    expect(pod?.priorityClassName).toBe('high');
  });
});

describe('an autoscaler', () => {
  test('is made where one is asked for', () => {
    const scaled = {
      ...infs,
      spec: { ...infs.spec, predictor: { replicas: { min: 2, max: 5, target: { cpu: 70 } } } },
    };
    const rendered = autoscaler(scaled, REVISION, { min: 3, warm: false })?.spec;
    expect(rendered).toMatchObject({ minReplicas: 3, maxReplicas: 5 });
    expect(rendered?.behavior).toBeUndefined();
    expect(autoscaler(infs, REVISION, { min: 3, warm: false })).toBeUndefined();
  });

  test('gives and takes no pod where numbers of pods are the weights', () => {
    const scaled = {
      ...infs,
      spec: { ...infs.spec, predictor: { replicas: { min: 2, max: 5, target: { cpu: 70 } } } },
    };
    const rendered = autoscaler(scaled, REVISION, { min: 3, warm: true, exact: true })?.spec;
    expect(rendered).toMatchObject({ minReplicas: 3, maxReplicas: 3 });
  });

  test('takes no pod from a revision that is kept warm', () => {
    const scaled = {
      ...infs,
      spec: { ...infs.spec, predictor: { replicas: { min: 2, max: 5, target: { cpu: 70 } } } },
    };
    const rendered = autoscaler(scaled, REVISION, { min: 2, warm: true })?.spec;
    expect(rendered?.behavior).toEqual({ scaleDown: { selectPolicy: 'Disabled' } });
  });
});
