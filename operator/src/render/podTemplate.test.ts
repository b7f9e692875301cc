import { describe, expect, test } from 'vitest';
import { trainingJob } from '../../test/trainingBuilders.ts';
import type { PodSpec } from './pod.ts';
import { strategicMerge } from './strategicMerge.ts';
import { trainingJobAttempt } from './trainingJob.ts';

const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };
type Overlay = NonNullable<Parameters<typeof trainingJob>[0]>['podTemplate'];

const templateWith = (podTemplate: Overlay, more = {}) =>
  trainingJobAttempt(trainingJob({ podTemplate, ...more }), 0, runtime).spec?.template;
const specWith = (spec: Record<string, unknown>, more = {}) => templateWith({ spec }, more)?.spec as PodSpec;
const plain = trainingJobAttempt(trainingJob(), 0, runtime).spec?.template;

describe('an overlay of the pod template', () => {
  test('none changes nothing', () => expect(templateWith({})).toEqual(plain));

  test('containers are met by name: the trainer keeps what is not said', () => {
    const { containers } = specWith({
      containers: [{ name: 'train', workingDir: '/src', env: [{ name: 'TZ', value: 'UTC' }] }],
    });
    expect(containers).toHaveLength(1);
    expect(containers[0]).toMatchObject({ name: 'train', image: 'example.com/flights-train:1', workingDir: '/src' });
    expect(containers[0]?.env?.at(-1)).toEqual({ name: 'TZ', value: 'UTC' });
    expect(containers[0]?.env?.map(({ name }) => name)).toContain('PET_NNODES');
  });

  test('a larger /dev/shm, which PyTorch’s loaders need, is one volume and one mount more', () => {
    const spec = specWith({
      volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }],
      containers: [{ name: 'train', volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }] }],
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual([
      ...(plain?.spec?.volumes ?? []).map(({ name }) => name),
      'shm',
    ]);
    expect(spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual(
      expect.arrayContaining(['/dev/shm', '/slipway/output']),
    );
  });

  test('containers and init containers may be added', () => {
    const spec = specWith({
      containers: [{ name: 'sidecar', image: 's' }],
      initContainers: [{ name: 'warm', image: 'w' }],
    });
    expect(spec.containers.map(({ name }) => name)).toEqual(['train', 'sidecar']);
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['agent', 'warm']);
  });

  test('tolerations are added to those that the accelerator implies', () => {
    const toleration = { key: 'dedicated', operator: 'Exists' };
    const { tolerations } = specWith(
      { tolerations: [toleration] },
      { accelerator: { resource: 'nvidia.com/gpu', count: 1 } },
    );
    expect(tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }, toleration]);
  });

  test('null deletes a field', () => {
    expect(plain?.spec?.securityContext?.runAsUser).toBe(65532);
    const { securityContext } = specWith({ securityContext: { runAsUser: null, runAsGroup: 1000 } });
    expect(securityContext).not.toHaveProperty('runAsUser');
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsGroup: 1000 });
  });

  test('labels and annotations are added, and those of ours stay what they are', () => {
    const template = templateWith({
      metadata: {
        labels: {
          team: 'a',
          'slipway.dev/attempt': '9',
          'app.kubernetes.io/managed-by': 'me',
          'app.kubernetes.io/component': 'x',
        },
        annotations: { 'sidecar.istio.io/inject': 'false', 'slipway.dev/training-job': 'other' },
      },
    });
    expect(template?.metadata?.labels).toEqual({ ...plain?.metadata?.labels, team: 'a' });
    expect(template?.metadata?.annotations).toEqual({
      ...plain?.metadata?.annotations,
      'sidecar.istio.io/inject': 'false',
    });
  });
});

describe('a strategic merge patch', () => {
  const cases: Record<string, { base: unknown; patch: unknown; want: unknown }> = {
    'an entry is deleted by directive': {
      base: { volumes: [{ name: 'a' }, { name: 'b' }] },
      patch: { volumes: [{ name: 'a', $patch: 'delete' }] },
      want: { volumes: [{ name: 'b' }] },
    },
    'an entry is replaced by directive': {
      base: { env: [{ name: 'A', value: '1' }] },
      patch: { env: [{ name: 'A', $patch: 'replace', valueFrom: { fieldRef: { fieldPath: 'x' } } }] },
      want: { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'x' } } }] },
    },
    'a list without a key is replaced whole': {
      base: { containers: [{ name: 'c', args: ['a', 'b'] }] },
      patch: { containers: [{ name: 'c', args: ['x'] }] },
      want: { containers: [{ name: 'c', args: ['x'] }] },
    },
    'a value that is said is the value': {
      base: { a: { b: 1, c: 2 } },
      patch: { a: { b: 3 } },
      want: { a: { b: 3, c: 2 } },
    },
    'a list where there was none': {
      base: {},
      patch: { tolerations: [{ key: 'k' }] },
      want: { tolerations: [{ key: 'k' }] },
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { base, patch, want }) => {
    expect(strategicMerge(base, patch)).toEqual(want);
  });
});
