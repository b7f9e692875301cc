import { expect, test } from 'vitest';
import { productSentence } from './nodeProducts.ts';

const node = (product?: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels: product === undefined ? {} : { 'nvidia.com/gpu.product': product } },
});
const wanted = { resource: 'nvidia.com/gpu', count: 1, products: ['NVIDIA-H100', 'NVIDIA-A100'] };

test('the products wanted are set against those present', () => {
  expect(productSentence(wanted, 'nvidia.com/gpu.product', [node('Tesla-T4'), node('Tesla-T4'), node()])).toBe(
    'It wants nodes whose nvidia.com/gpu.product is NVIDIA-H100 or NVIDIA-A100; the nodes have: Tesla-T4 (2), no such label (1).',
  );
});
