import { inferenceServiceSpecSchema } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { hardeningViolations, restrictedViolations } from '../../test/podSecurity.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { guardJob, guardJobName } from './guardJob.ts';
import { predictorSelector } from './predictorChildren.ts';

const infs = {
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
  spec: inferenceServiceSpecSchema.parse({ model: { name: 'flights', version: '1.1.0' } }),
} as Stored<InferenceService>;
const guard = {
  image: 'example.com/smoke:1',
  command: ['smoke'],
  args: ['--all'],
  env: [
    { name: 'REGION', value: 'eu' },
    { name: 'SLIPWAY_STEP', value: 'mine' },
  ],
  timeout: '90s',
};
const TEST = { guard: 'smoke', rolloutID: 'abc-1', step: 2 };
const versions = { candidate: 'new', stable: 'old', version: '1.1.0' };
const job = guardJob(infs, guard, TEST, versions);
const template = job.spec?.template;

describe('the job of a guard', () => {
  test('runs once and no longer than it may', () => {
    expect(job.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 90 });
    expect(template?.spec?.restartPolicy).toBe('Never');
  });

  test('is told whom to test, in words that its own environment can not change', () => {
    expect(template?.spec?.containers[0]).toMatchObject({ image: guard.image, command: ['smoke'], args: ['--all'] });
    expect(template?.spec?.containers[0]?.env).toEqual([
      { name: 'REGION', value: 'eu' },
      { name: 'SLIPWAY_CANDIDATE_URL', value: 'http://flights-new.ml.svc' },
      { name: 'SLIPWAY_STABLE_URL', value: 'http://flights-old.ml.svc' },
      { name: 'SLIPWAY_MODEL_VERSION', value: '1.1.0' },
      { name: 'SLIPWAY_STEP', value: '2' },
    ]);
  });

  test('breaks no rule of Pod Security restricted, and has no token and no writable root', () => {
    expect(restrictedViolations(template?.spec as never)).toEqual([]);
    expect(hardeningViolations(template?.spec as never)).toEqual([]);
  });

  test('belongs to the service and is none of its predictors', () => {
    expect(job.metadata.ownerReferences).toMatchObject([{ uid: 'u', controller: true }]);
    const labels = template?.metadata?.labels ?? {};
    expect(Object.entries(predictorSelector('flights')).every(([key, value]) => labels[key] === value)).toBe(false);
  });
});

test('argo-rollouts#926: a test has one name for its rollout, step and guard, and no other test has it', () => {
  const long = 'a'.repeat(40);
  const names = [TEST, { ...TEST, step: 3 }, { ...TEST, rolloutID: 'abc-2' }, { ...TEST, guard: 'other' }].map((test) =>
    guardJobName(long, test),
  );
  expect(new Set(names).size).toBe(4);
  expect(names[0]).toBe(guardJobName(long, { ...TEST }));
  expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(63);
});
