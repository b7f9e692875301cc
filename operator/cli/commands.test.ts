import { describe, expect, test } from 'vitest';
import { explain } from './explain.ts';
import { standing, type Watched } from './goals.ts';
import { approvalRequest, retryRequest } from './requests.ts';
import { awaitingApproval, gated, rolledBack, shifting, training } from './samples.ts';

describe('approve', () => {
  test('names the rollout and the step that waits, and no other', () => {
    expect(approvalRequest(awaitingApproval)).toMatchObject({
      kind: 'patch',
      patch: { metadata: { annotations: { 'slipway.dev/approve': 'r-77aa0/2' } } },
    });
  });
  test('refuses when no step waits', () => {
    expect(approvalRequest(shifting)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('waits for no approval'),
    });
    expect(approvalRequest(rolledBack)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('no rollout under way'),
    });
  });
});

describe('retry', () => {
  const patch = { metadata: { annotations: { 'slipway.dev/retry': '77aa0' } } };
  test('takes the last rejection when none is named', () => {
    expect(retryRequest(rolledBack, undefined)).toMatchObject({ kind: 'patch', patch });
    expect(retryRequest(rolledBack, '77aa0')).toMatchObject({ kind: 'patch', patch });
  });
  test('refuses a revision that was not rejected and lists those that were', () => {
    expect(retryRequest(rolledBack, 'other')).toEqual({
      kind: 'refused',
      why: 'Revision other of infs/flights was not rejected; rejected are: 77aa0.',
    });
    expect(retryRequest(shifting, undefined)).toMatchObject({ kind: 'refused' });
  });
});

describe('wait', () => {
  const [serving, stalled] = rolledBack.status?.conditions ?? [];
  const trained = { ...training, status: { ...training.status, conditions: serving === undefined ? [] : [serving] } };
  const failed = { ...training, status: { ...training.status, conditions: stalled === undefined ? [] : [stalled] } };
  const stale = { ...shifting, metadata: { ...shifting.metadata, generation: 5 } };
  test.each<[string, Watched, Parameters<typeof standing>[1], string]>([
    ['a serving service is Ready', shifting, 'Ready', 'reached'],
    ['a status of an older spec is not an answer', stale, 'Ready', 'waiting'],
    ['a rollout under way is waited for', shifting, 'RolloutComplete', 'waiting'],
    ['a rolled-back rollout never completes', rolledBack, 'RolloutComplete', 'never'],
    ['a rolled-back rollout is RolledBack', rolledBack, 'RolledBack', 'reached'],
    ['a rolled-back service is still Ready', rolledBack, 'Ready', 'reached'],
    ['a gated version is Ready', gated, 'Ready', 'reached'],
    ['a running training has not Succeeded', training, 'Succeeded', 'waiting'],
    ['a training that is Ready has Succeeded', trained, 'Succeeded', 'reached'],
    ['a training that is Stalled never will have', failed, 'Succeeded', 'never'],
  ])('%s', (_name, object, goal, want) => expect(standing(object, goal).kind).toBe(want));
});

describe('explain', () => {
  test('says what to type when an approval is awaited', () => {
    expect(explain(awaitingApproval).join(' ')).toContain('kubectl slipway approve infs/flights');
  });
  test('says which guard needs more requests, and how long it may take', () => {
    expect(explain(shifting).join(' ')).toContain(
      'Guard errors needs more requests: 120 so far give [0.00%, 3.10%] against a limit of 1.00%, about 14s to go.',
    );
  });
  test('says what was rolled back, on what evidence, and the way out', () => {
    const text = explain(rolledBack).join(' ');
    expect(text).toContain('21 of 90 requests failed');
    expect(text).toContain('kubectl slipway retry infs/flights');
  });
  test('says when all is well', () => {
    expect(explain(gated)).toEqual(['All is as the spec asks; it waits for nothing.']);
  });
  test('says so when the operator has never seen the object', () => {
    const { status: _, ...unseen } = gated;
    expect(explain(unseen).join(' ')).toContain('has not seen this object');
  });
});
