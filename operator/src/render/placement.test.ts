import type { Accelerator } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { A100_40, A100_SINGLE, gpuNode, H100_MIXED } from '../../test/gpuNodes.ts';
import { migStrategy } from '../domain/placement/mig.ts';
import { containerResources, type PlacementMore, placementFields } from './placement.ts';
import { deviceSelectors, resourceClaimTemplate } from './resourceClaimTemplate.ts';

const gpu = (more: Partial<Accelerator> = {}): Accelerator => ({ resource: 'nvidia.com/gpu', count: 2, ...more });

const nodeTerms = (accelerator: Accelerator, more?: PlacementMore) =>
  placementFields(undefined, accelerator, more).affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    ?.nodeSelectorTerms;

describe('what is asked of accelerators becomes node affinity', () => {
  test('memory, in MiB, where only a strict comparison can be said', () => {
    expect(nodeTerms(gpu({ minMemory: '40Gi', products: ['NVIDIA-L40S'] }))).toEqual([
      {
        matchExpressions: [
          { key: 'nvidia.com/gpu.product', operator: 'In', values: ['NVIDIA-L40S'] },
          { key: 'nvidia.com/gpu.memory', operator: 'Gt', values: ['40959'] },
        ],
      },
    ]);
    expect(nodeTerms(gpu({ resource: 'amd.com/gpu', minMemory: '1G' }))?.[0]?.matchExpressions).toEqual([
      { key: 'amd.com/gpu.memory', operator: 'Gt', values: ['953'] },
    ]);
  });

  test('Spot: the label of one cloud or another, each with all the rest', () => {
    const terms = nodeTerms(gpu({ capacity: 'Spot', products: ['NVIDIA-L4'] })) ?? [];
    expect(terms.map(({ matchExpressions }) => matchExpressions?.map(({ key }) => key))).toEqual(
      [
        'karpenter.sh/capacity-type',
        'cloud.google.com/gke-spot',
        'cloud.google.com/gke-preemptible',
        'eks.amazonaws.com/capacityType',
        'kubernetes.azure.com/scalesetpriority',
      ].map((key) => ['nvidia.com/gpu.product', key]),
    );
    const { tolerations } = placementFields(undefined, gpu({ capacity: 'Spot' }));
    expect(tolerations).toContainEqual({
      key: 'kubernetes.azure.com/scalesetpriority',
      operator: 'Equal',
      value: 'spot',
      effect: 'NoSchedule',
    });
  });

  test('OnDemand: none of those labels, and no taint of theirs is tolerated', () => {
    const fields = placementFields(undefined, gpu({ capacity: 'OnDemand' }));
    expect(fields.tolerations).toHaveLength(1);
    const [term] = nodeTerms(gpu({ capacity: 'OnDemand' })) ?? [];
    expect(term?.matchExpressions).toHaveLength(5);
    expect(term?.matchExpressions?.every(({ operator }) => operator === 'NotIn')).toBe(true);
  });

  test('nodes that are left out, one field each, in every term', () => {
    const more = { excludedNodes: ['a', 'b'] };
    for (const terms of [nodeTerms(gpu(), more), nodeTerms(gpu({ capacity: 'Spot' }), more)])
      for (const { matchFields } of terms ?? [])
        expect(matchFields).toEqual([
          { key: 'metadata.name', operator: 'NotIn', values: ['a'] },
          { key: 'metadata.name', operator: 'NotIn', values: ['b'] },
        ]);
    expect(nodeTerms(gpu({ capacity: 'Spot' }), more)).toHaveLength(5);
  });

  test('pods that share a value of a label, with or without accelerators', () => {
    const together = { topologyKey: 'nvidia.com/gpu.clique', matchLabels: { job: 'a' } };
    expect(placementFields(undefined, undefined, { together }).affinity).toEqual({
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { job: 'a' } }, topologyKey: 'nvidia.com/gpu.clique' },
        ],
      },
    });
  });
});

describe('slices of GPUs', () => {
  const [mixed, single, whole] = [gpuNode(H100_MIXED), gpuNode(A100_SINGLE), gpuNode(A100_40)];
  const SINGLE = { kind: 'Single', products: ['NVIDIA-A100-SXM4-40GB-MIG-1g.5gb'] } as const;

  test.each([
    ['no node has the profile', '1g.5gb', [whole], { kind: 'Mixed' }],
    ['nodes of the mixed strategy', '1g.10gb', [mixed, whole], { kind: 'Mixed' }],
    ['nodes of the single strategy', '1g.5gb', [single, single, whole], SINGLE],
    [
      'nodes of both',
      '1g.5gb',
      [single, gpuNode({ gpus: 0, resources: { 'nvidia.com/mig-1g.5gb': '7' } })],
      { kind: 'Mixed' },
    ],
  ])('%s', (_case, mig, nodes, expected) => expect(migStrategy(gpu({ mig }), nodes)).toEqual(expected));

  test('the strategy is that of the products wanted', () => {
    const both = [single, gpuNode({ product: 'NVIDIA-H200', gpus: 0, resources: { 'nvidia.com/mig-1g.5gb': '7' } })];
    const wanted = gpu({ mig: '1g.5gb', products: ['NVIDIA-A100-SXM4-40GB'] });
    expect(migStrategy(wanted, both)).toEqual(SINGLE);
    expect(migStrategy({ ...wanted, products: ['NVIDIA-H200'] }, both)).toEqual({ kind: 'Mixed' });
  });

  test('mixed: a resource of its own, with a memory of its own', () => {
    const wanted = gpu({ mig: '1g.10gb+me', minMemory: '9Gi' });
    expect(containerResources(undefined, wanted)).toEqual({ limits: { 'nvidia.com/mig-1g.10gb.me': '2' } });
    expect(nodeTerms(wanted)?.[0]?.matchExpressions?.[0]?.key).toBe('nvidia.com/mig-1g.10gb.me.memory');
  });

  test('single: whole GPUs of nodes that are split so', () => {
    const wanted = gpu({ mig: '1g.5gb', products: ['NVIDIA-A100-SXM4-40GB'], minMemory: '4Gi' });
    expect(containerResources({ limits: { memory: '1Gi' } }, wanted, SINGLE)).toEqual({
      limits: { memory: '1Gi', 'nvidia.com/gpu': '2' },
    });
    expect(nodeTerms(wanted, { mig: SINGLE })?.[0]?.matchExpressions).toEqual([
      { key: 'nvidia.com/gpu.product', operator: 'In', values: SINGLE.products },
      { key: 'nvidia.com/gpu.memory', operator: 'Gt', values: ['4095'] },
    ]);
  });
});

describe('kubeflow/trainer#2782: accelerators by a claim', () => {
  const wanted = gpu({
    claim: { deviceClass: 'gpu.nvidia.com' },
    products: ['NVIDIA-A100-SXM4-40GB'],
    minMemory: '40Gi',
    mig: '1g.5gb',
    capacity: 'OnDemand',
  });

  test('the pod names a claim and no limit, and asks nothing of labels that the claim asks of devices', () => {
    expect(containerResources({ limits: { memory: '1Gi' } }, wanted)).toEqual({
      limits: { memory: '1Gi' },
      claims: [{ name: 'accelerator' }],
    });
    const fields = placementFields(undefined, wanted, { claimTemplate: 'job-accelerator' });
    expect(fields.resourceClaims).toEqual([{ name: 'accelerator', resourceClaimTemplateName: 'job-accelerator' }]);
    expect(JSON.stringify(fields.affinity)).not.toContain('gpu.product');
    expect(JSON.stringify(fields.affinity)).toContain('gke-spot');
  });

  test('the template asks for so many devices of the class', () => {
    const template = resourceClaimTemplate({ name: 'job-accelerator', namespace: 'n' }, wanted);
    expect(template.spec.spec.devices?.requests?.[0]?.exactly).toMatchObject({
      deviceClassName: 'gpu.nvidia.com',
      count: 2,
      allocationMode: 'ExactCount',
    });
    expect(template.spec.spec.devices?.requests?.[0]?.exactly?.selectors).toHaveLength(3);
  });

  test('a product can not break out of its quotes', () => {
    expect(deviceSelectors(gpu({ products: ["a'b\\"] }))[0]).toContain("['a\\'b\\\\']");
  });
});
