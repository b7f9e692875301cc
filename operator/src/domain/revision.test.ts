import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type RevisionSpec, revisionOf } from './revision.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const bare: RevisionSpec = {
  model: { name: 'flights', version: '1.4.0', digest },
  uri: 'pvc://models/flights/sha256-ab',
  predictor: {},
};
const full: RevisionSpec = {
  ...bare,
  predictor: {
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
    accelerator: { resource: 'nvidia.com/gpu', count: 1, products: ['NVIDIA-L4'] },
    placement: { nodeSelector: { pool: 'serving' }, tolerations: [{ key: 'spot', operator: 'Exists' }] },
  },
};

const GPU: NonNullable<RevisionSpec['predictor']['accelerator']> = { resource: 'nvidia.com/gpu', count: 1 };

describe('the revision of a version', () => {
  // These hashes are an API: a change of one restarts every pod of every user on upgrade.
  test('argo-rollouts#4818, argo-rollouts#4696: is the same in every release', () => {
    expect(revisionOf(bare)).toBe('841326c858');
    expect(revisionOf(full)).toBe('8a4fdaa730');
  });

  test.each<[string, RevisionSpec]>([
    ['another digest', { ...bare, model: { ...bare.model, digest: `sha256:${'cd'.repeat(32)}` } }],
    [
      'another version of the same bytes, as its pods name it in every answer',
      { ...bare, model: { ...bare.model, version: '1.4.1' } },
    ],
    ['more memory', { ...bare, predictor: { resources: { limits: { memory: '1Gi' } } } }],
    ['larger batches', { ...bare, predictor: { batching: { maxSize: 64 } } }],
    ['batches that wait', { ...bare, predictor: { batching: { maxDelay: '5ms' } } }],
    ['a shorter queue', { ...bare, predictor: { limits: { maxQueue: 0 } } }],
    ['smaller bodies', { ...bare, predictor: { limits: { maxBodyBytes: 1024 } } }],
    ['less time', { ...bare, predictor: { limits: { timeout: '5s' } } }],
    ['keys of another Secret', { ...bare, predictor: { auth: { secretRef: { name: 'keys' } } } }],
    ['an accelerator', { ...bare, predictor: { accelerator: GPU } }],
    ['another node pool', { ...bare, predictor: { placement: { nodeSelector: { pool: 'b' } } } }],
  ])('changes with %s', (_what, spec) => expect(revisionOf(spec)).not.toBe(revisionOf(bare)));

  test.each<[string, Partial<typeof GPU>]>([
    ['larger accelerators', { minMemory: '40Gi' }],
    ['slices of accelerators', { mig: '1g.10gb' }],
    ['machines that may be taken back', { capacity: 'Spot' }],
    ['accelerators by a claim', { claim: { deviceClass: 'gpu.nvidia.com' } }],
  ])('changes with %s', (_what, more) => {
    const asked = { ...bare, predictor: { accelerator: { ...GPU, ...more } } };
    expect(revisionOf(asked)).not.toBe(revisionOf({ ...bare, predictor: { accelerator: GPU } }));
  });

  test('does not change with the place of the artifact, nor with empty fields', () => {
    expect(revisionOf({ ...bare, uri: 'pvc://elsewhere/x' })).toBe(revisionOf(bare));
    expect(revisionOf({ ...bare, predictor: { resources: {}, placement: { nodeSelector: {} } } })).toBe(
      revisionOf(bare),
    );
  });

  test('does not change with a field that a later release adds', () => {
    const later = { ...bare, predictor: { warmth: { seconds: 30 } } } as RevisionSpec;
    expect(revisionOf(later)).toBe(revisionOf(bare));
  });
});

test('canonical JSON does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      expect(canonicalJson(reversed)).toBe(canonicalJson(object));
    }),
  );
});
