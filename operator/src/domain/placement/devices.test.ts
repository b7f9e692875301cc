import type { Accelerator } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { deviceSlice, gpuNode, grantedClaim, H100 } from '../../../test/gpuNodes.ts';
import { devicesByNode } from './devices.ts';
import { explainPlacement } from './explain.ts';

const A100 = { productName: 'NVIDIA A100-SXM4-40GB', memory: '40Gi' };
const gpus = (node: string, n: number, kind: object = A100) =>
  deviceSlice(
    node,
    Array.from({ length: n }, (_, i) => ({ name: `gpu-${i}`, ...A100, ...kind })),
  );
const asked = (more: Partial<Accelerator> = {}): Accelerator => ({
  resource: 'nvidia.com/gpu',
  count: 1,
  claim: { deviceClass: 'gpu.nvidia.com' },
  ...more,
});

const nodes = [gpuNode({ name: 'a' }), gpuNode({ ...H100, name: 'b' })];
const say = (
  accelerator: Accelerator,
  ...[slices, claims = []]: [Parameters<typeof devicesByNode>[0], Parameters<typeof devicesByNode>[1]?]
) => explainPlacement({ containers: [] }, { nodes, devices: devicesByNode(slices, claims) }, { accelerator }).sentence;

describe('why no node grants a claim', () => {
  test.each<[string, Accelerator, string]>([
    [
      'another product',
      asked({ products: ['NVIDIA-H200'] }),
      '1 is NVIDIA-A100-SXM4-40GB, not NVIDIA-H200; 1 has no devices to claim',
    ],
    ['too little memory', asked({ minMemory: '80Gi' }), '1 has 40Gi < 80Gi; 1 has no devices to claim'],
    ['not so cut', asked({ mig: '1g.5gb' }), '1 has no 1g.5gb slices to claim; 1 has no devices to claim'],
    ['too few', asked({ count: 8 }), '1 has 2 such devices < 8; 1 has no devices to claim'],
  ])('%s', (_case, accelerator, text) => expect(say(accelerator, [gpus('b', 2)])).toBe(`0 of 2 nodes: ${text}.`));

  test('devices that others have claimed', () => {
    const claims = [grantedClaim('b', ['gpu-0']), grantedClaim('a', ['gpu-0', 'gpu-1'])];
    expect(say(asked({ count: 2 }), [gpus('a', 2), gpus('b', 2)], claims)).toBe(
      '0 of 2 nodes: 1 has 1 of 2 devices left < 2; 1 is full (2 of 2 devices claimed).',
    );
  });

  test('slices of an older generation are gone', () => {
    const old = gpus('a', 8);
    const fresh = { ...gpus('a', 1), spec: { ...gpus('a', 1).spec, pool: { ...old.spec.pool, generation: 2 } } };
    expect(say(asked({ count: 2 }), [old, fresh])).toContain('1 has 1 such devices < 2');
  });

  test('devices of no single node are more than we look at', () => {
    const { nodeName: _n, ...spec } = gpus('a', 1).spec;
    expect(devicesByNode([{ ...gpus('a', 1), spec: { ...spec, allNodes: true } }], [])).toBeUndefined();
  });
});
