import type { InferenceServiceStatus } from '@slipway/crds';
import { expect, test } from 'vitest';
import { DIGEST, modelVersion, OTHER_DIGEST } from '../../../test/trainingBuilders.ts';
import type { InferenceService } from '../../api/kinds.ts';
import { namesText, referencesTo } from './references.ts';

const service = (name: string, status: Partial<InferenceServiceStatus>): InferenceService => ({
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'InferenceService',
  metadata: { name, namespace: 'ml' },
  spec: { model: { name: 'flights', version: '0.1.0' } } as InferenceService['spec'],
  status,
});
const version = (digest: string) => ({ version: '0.1.0', digest, revision: 'r' });
const candidate = (phase: 'Shifting' | 'RolledBack') => ({
  ...version(DIGEST),
  phase,
  step: 0,
  startedAt: '',
  weight: 5,
});
const rejection = { ...version(DIGEST), reason: 'Errors', message: 'm', at: '' };

test('servers of its digest are listed by name, in order', () => {
  const services = [
    service('b-stable', { stable: version(DIGEST) }),
    service('a-canary', { stable: version(OTHER_DIGEST), candidate: candidate('Shifting') }),
    service('other', { stable: version(OTHER_DIGEST) }),
    service('new', {}),
  ];
  expect(referencesTo(modelVersion(DIGEST), services)).toEqual({
    servedBy: ['a-canary', 'b-stable'],
    rejectedBy: [],
    stable: true,
  });
});

test('a candidate that was rolled back does not serve it, but rejects it', () => {
  const services = [service('s', { candidate: candidate('RolledBack'), rejected: [rejection] })];
  expect(referencesTo(modelVersion(DIGEST), services)).toEqual({
    servedBy: [],
    rejectedBy: ['s'],
    stable: false,
  });
});

test('the version to go back to was stable, though it serves no longer', () => {
  const services = [service('s', { stable: version(OTHER_DIGEST), previous: version(DIGEST) })];
  expect(referencesTo(modelVersion(DIGEST), services)).toMatchObject({ servedBy: [], stable: true });
});

test('another version of the same files, and another model, is not what they serve', () => {
  const services = [
    service('s', { stable: { ...version(DIGEST), version: '0.2.0' } }),
    { ...service('t', { stable: version(DIGEST) }), spec: { model: { name: 'delays', version: '0.1.0' } } as never },
  ];
  expect(referencesTo(modelVersion(DIGEST), services).servedBy).toEqual([]);
});

test('names are listed as a person would', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']].map(namesText)).toEqual([
    '',
    'a',
    'a, b',
    'a, b, c and 2 more',
  ]);
});
