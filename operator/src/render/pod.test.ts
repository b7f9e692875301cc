import { describe, expect, test } from 'vitest';
import { containerResources, placementFields } from './placement.ts';
import { restrictedPod } from './pod.ts';
import { parseClaimUri } from './pvcUri.ts';

const gpu = { resource: 'nvidia.com/gpu', count: 2, products: ['NVIDIA-H100-80GB-HBM3'] };

describe('a rendered pod', () => {
  const pod = restrictedPod({
    containers: [{ name: 'main', image: 'example/server:1', volumeMounts: [{ name: 'model', mountPath: '/m' }] }],
    volumes: [{ name: 'model', emptyDir: {} }],
    extra: { restartPolicy: 'Never' },
  });

  test('meets Pod Security restricted', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('has no service-account token and a writable /tmp beside its own mounts', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.containers[0]?.volumeMounts?.map((m) => m.mountPath)).toEqual(['/m', '/tmp']);
    expect(pod.volumes?.map((v) => v.name)).toEqual(['model', 'tmp']);
    expect(pod.restartPolicy).toBe('Never');
  });
});

describe('an accelerator', () => {
  test('becomes a limit beside those of the user', () => {
    expect(containerResources({ requests: { cpu: '1' }, limits: { memory: '1Gi' } }, gpu)).toEqual({
      requests: { cpu: '1' },
      limits: { memory: '1Gi', 'nvidia.com/gpu': '2' },
    });
    expect(containerResources(undefined, undefined)).toEqual({});
  });

  test('becomes node affinity on its product and a toleration of its taint', () => {
    expect(placementFields({ tolerations: [{ key: 'spot', operator: 'Exists' }] }, gpu)).toEqual({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: gpu.products }] },
            ],
          },
        },
      },
      tolerations: [
        { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
        { key: 'spot', operator: 'Exists' },
      ],
    });
  });

  test('of any product asks for no affinity', () => {
    expect(placementFields(undefined, { resource: 'amd.com/gpu', count: 1 })).not.toHaveProperty('affinity');
  });

  test('is not there: no field is set', () => {
    expect(placementFields(undefined, undefined)).toEqual({});
  });
});

describe('a claim URI', () => {
  test.each([
    ['pvc://models/flights/sha256-ab', { claim: 'models', path: 'flights/sha256-ab' }],
    ['pvc://models/a/', { claim: 'models', path: 'a' }],
  ])('%s', (uri, want) => expect(parseClaimUri(uri)).toEqual(want));

  test.each(['pvc://models', 'pvc://models/', 's3://models/a', 'pvc://models/../etc', 'pvc://models/a/..'])(
    '%s is refused with what to write',
    (uri) => expect(() => parseClaimUri(uri)).toThrow('write pvc://<claim>/<path>'),
  );
});
