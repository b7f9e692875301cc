import { describe, expect, test } from 'vitest';
import type { Pod } from '../../api/builtin.ts';
import { missingAccelerators } from './accelerators.ts';

const pod = (resources: Record<string, string>, scheduler: string | undefined): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'server', image: 'i', resources: { limits: resources } }] },
    status:
      scheduler === undefined
        ? {}
        : { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: scheduler }] },
  }) as Pod;

const short = '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.';

describe('pods that no node takes', () => {
  test('serving-progressive-rollout#203: the missing accelerators are counted over all of them', () => {
    const found = missingAccelerators([
      pod({ 'nvidia.com/gpu': '2' }, short),
      pod({ 'nvidia.com/gpu': '2' }, undefined),
      pod({ 'nvidia.com/gpu': '2' }, short),
    ]);
    expect(found?.reason).toBe('InsufficientAccelerator');
    expect(found?.message).toMatch(/^4 more nvidia\.com\/gpu are needed: 2 pods wait for 2 each, .*surge: Never/);
  });

  test('for lack of one are told so', () => {
    expect(missingAccelerators([pod({ 'nvidia.com/gpu': '1' }, short)])?.message).toMatch(
      /^1 more nvidia\.com\/gpu is needed: 1 pod waits for 1 each/,
    );
  });

  test('are told why node by node, where the nodes were seen: the scheduler says only that there are too few', () => {
    const ours = '0 of 3 nodes: 2 are full (8 of 8 nvidia.com/gpu taken); 1 has no nvidia.com/gpu.';
    expect(missingAccelerators([pod({ 'nvidia.com/gpu': '2' }, short)], () => ours)?.message).toBe(
      '2 more nvidia.com/gpu are needed: 1 pod waits for 2 each, and no node has them to spare (0 of 3 nodes: 2 are full (8 of 8 nvidia.com/gpu taken); 1 has no nvidia.com/gpu). Free some, add a node, or write surge: Never to swap pods in place',
    );
  });

  test.each([
    ['for lack of memory lack no accelerator', pod({ 'nvidia.com/gpu': '1' }, '0/3 nodes: 3 Insufficient memory.')],
    ['that ask for none lack none', pod({ cpu: '1' }, short)],
    ['that are placed lack none', pod({ 'nvidia.com/gpu': '1' }, undefined)],
  ])('%s', (_sentence, given) => {
    expect(missingAccelerators([given])).toBeUndefined();
  });
});
