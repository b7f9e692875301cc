import { expect, test } from 'vitest';
import { pod } from '../../../test/trainingBuilders.ts';
import { podWait } from './podWait.ts';

const cases: Record<string, { given: Parameters<typeof pod>[0]; want: { reason: string; message: RegExp } }> = {
  'no node takes it': {
    given: { phase: 'Pending', unschedulable: '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.' },
    want: { reason: 'Unschedulable', message: /Insufficient nvidia.com\/gpu/ },
  },
  'its image can not be pulled: the image is named as the spec has it': {
    given: { phase: 'Pending', waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } },
    want: { reason: 'ImagePullFailed', message: /example\.com\/flights-train:1.*Back-off/ },
  },
  'its image name is no name': {
    given: { phase: 'Pending', waiting: { reason: 'InvalidImageName' } },
    want: { reason: 'ImagePullFailed', message: /InvalidImageName/ },
  },
  'a Secret of its environment is missing': {
    given: { phase: 'Pending', waiting: { reason: 'CreateContainerConfigError', message: 'secret "s3" not found' } },
    want: { reason: 'ContainerCannotStart', message: /secret "s3" not found/ },
  },
};
test.each(Object.entries(cases))('%s', (_name, { given, want }) => {
  const wait = podWait([pod({ index: 1, phase: 'Running' }), pod(given)]);
  expect(wait?.reason).toBe(want.reason);
  expect(wait?.message).toMatch(want.message);
});

test('pods that are merely starting wait for nothing', () => {
  expect(podWait([pod({ phase: 'Pending', waiting: { reason: 'ContainerCreating' } }), pod()])).toBeUndefined();
});
