import { trainingJobSpecSchema } from '@slipway/crds';
import { toStructural } from '@slipway/crds/generate/structural.ts';
import { expect, test } from 'vitest';
import { type TrainingJob, trainingJobs } from '../api/kinds.ts';
import { asStored } from '../kube/restClient.ts';
import { defaultsOf } from './defaults.ts';

const schema = {
  properties: {
    budget: { type: 'object', default: {}, properties: { restarts: { default: 3 }, note: { type: 'string' } } },
    optional: { type: 'object', properties: { size: { default: '1Gi' } } },
    steps: { type: 'array', items: { type: 'object', properties: { weight: { default: 0 } } } },
  },
};
const fill = defaultsOf(schema);

test.each<[string, unknown, unknown]>([
  ['a default that is an object, with those inside it', {}, { budget: { restarts: 3 } }],
  [
    'those of an object that is there',
    { budget: { restarts: 0 }, optional: {} },
    { budget: { restarts: 0 }, optional: { size: '1Gi' } },
  ],
  [
    'those of each item',
    { budget: { restarts: 1 }, steps: [{ weight: 5 }, {}] },
    { budget: { restarts: 1 }, steps: [{ weight: 5 }, { weight: 0 }] },
  ],
])('fills in %s, as the API server does', (_name, given, filled) => {
  expect(fill?.(given)).toEqual(filled);
});

test('an object that lacks nothing is passed on as it is, and a default is nobody’s to change', () => {
  const whole = { budget: { restarts: 1 }, steps: [{ weight: 5 }] };
  expect(fill?.(whole)).toBe(whole);
  const [one, two] = [fill?.({}), fill?.({})] as { budget: object }[];
  expect(one?.budget).not.toBe(two?.budget);
});

test('a schema without defaults costs nothing', () => {
  expect(defaultsOf({ properties: { a: { type: 'string' }, b: { items: { type: 'string' } } } })).toBeUndefined();
});

test('the budgets of a TrainingJob are there, though the definition that stored it knew none', () => {
  const spec = { model: { name: 'flights' }, image: 'i', publish: { store: 'pvc://m' }, failure: { restarts: 2 } };
  const stored = asStored<TrainingJob>(trainingJobs, { metadata: { name: 'old', resourceVersion: '1' }, spec });
  expect(stored.spec.failure).toMatchObject({ restarts: 2, disruptions: 20, startTimeout: '10m', excludeNodes: '24h' });
  expect(stored.spec).toEqual(trainingJobSpecSchema.parse(spec));
});

test('what zod fills in is what the schema of the CRD says', () => {
  const bare = { model: { name: 'flights' }, image: 'i', publish: { store: 'pvc://m' } };
  expect(defaultsOf(toStructural(trainingJobSpecSchema, 'spec'))?.(bare)).toEqual(trainingJobSpecSchema.parse(bare));
});
