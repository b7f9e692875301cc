import type { Condition } from '@slipway/crds';
import { expect, test } from 'vitest';
import { expectStatus, type Reported, statusFaults } from './expectStatus.ts';

const condition = (type: string, status: Condition['status'], more: Partial<Condition> = {}): Condition => ({
  type,
  status,
  reason: 'AsExpected',
  message: 'all is well',
  observedGeneration: 2,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...more,
});
const object = (conditions: Condition[], observedGeneration = 2): Reported => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', generation: 2 },
  status: { observedGeneration, conditions },
});
const ready = condition('Ready', 'True');

test('a sound status gives its conditions by type', () => {
  expect(expectStatus(object([ready, condition('Stalled', 'False')]))).toEqual({ Ready: 'True', Stalled: 'False' });
});

const broken: Record<string, [Reported, string]> = {
  'no Ready': [object([condition('Stalled', 'True')]), 'no Ready condition'],
  'no status at all': [{ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' } }, 'is no integer'],
  'working and stuck at once': [
    object([ready, condition('Reconciling', 'True'), condition('Stalled', 'True')]),
    'both True',
  ],
  'a generation from the future': [object([ready], 3), 'ahead of the object'],
  'a condition of a future generation': [object([condition('Ready', 'True', { observedGeneration: 3 })]), 'ahead of 2'],
  'a condition twice': [object([ready, ready]), 'stands twice'],
  'a reason made of text': [object([condition('Ready', 'True', { reason: 'it works' })]), 'not PascalCase'],
  'a time with fractions': [
    object([condition('Ready', 'True', { lastTransitionTime: '2026-01-01T00:00:00.000Z' })]),
    'lastTransitionTime',
  ],
};
test.each(Object.entries(broken))('%s is found', (_, [given, fault]) => {
  expect(statusFaults(given).join('\n')).toContain(fault);
});
