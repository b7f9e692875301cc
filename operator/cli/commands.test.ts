import { describe, expect, test } from 'vitest';
import type { InferenceService } from '../src/api/kinds.ts';
import { sealOf } from '../src/domain/rollout/history.ts';
import { renderObject } from './commands.ts';
import { explain, explainChain } from './explain.ts';
import { standing, type Watched } from './goals.ts';
import {
  abortRequest,
  approvalRequest,
  pauseRequest,
  promotionRequest,
  resumeRequest,
  retryRequest,
  rollbackRequest,
} from './requests.ts';
import { awaitingApproval, awaitingTwo, gated, NOON, rolledBack, shifting, training } from './samples.ts';

const version = (text: string, letter: string) => ({
  version: text,
  digest: `sha256:${letter.repeat(64)}`,
  revision: letter.repeat(10),
});

describe('approve', () => {
  test('of two people says who is still missing', () => {
    const done = (before: readonly string[]) => {
      const request = approvalRequest(awaitingTwo(before), { by: 'grace', at: NOON });
      return request.kind === 'patch' ? request.done : request.why;
    };
    expect(done([])).toBe('Approved step 3 of the rollout of 1.1.0 as grace. It needs 1 more person.');
    expect(done(['ada'])).toBe('Approved step 3 of the rollout of 1.1.0 as grace.');
  });
  const approver = { by: 'ana@example.com', at: NOON, comment: 'looks right' };
  test('names the rollout, step and digest that wait, who lets them pass and why, and keeps what others approved', () => {
    const before = { rolloutID: 'r-1', step: 0, digest: 'sha256:old', by: 'ben', at: '2026-02-01T00:00:00Z' };
    const service = { ...awaitingApproval, spec: { ...awaitingApproval.spec, approvals: [before] } };
    expect(approvalRequest(service, approver)).toEqual({
      kind: 'patch',
      patch: {
        metadata: { resourceVersion: '99' },
        spec: {
          approvals: [
            before,
            {
              rolloutID: 'r-77aa0',
              step: 2,
              digest: `sha256:${'b'.repeat(64)}`,
              by: 'ana@example.com',
              at: '2026-03-01T12:00:00Z',
              comment: 'looks right',
            },
          ],
        },
      },
      done: 'Approved step 3 of the rollout of 1.1.0 as ana@example.com.',
    });
  });
  test('says how to make room where the list is full', () => {
    const before = { rolloutID: 'r-1', digest: 'sha256:old', by: 'ben', at: '2026-02-01T00:00:00Z' };
    const approvals = Array.from({ length: 64 }, (_, step) => ({ ...before, step }));
    const service = { ...awaitingApproval, spec: { ...awaitingApproval.spec, approvals } };
    expect(approvalRequest(service, approver)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining(`--type=merge -p '{"spec":{"approvals":null}}'`),
    });
  });
  test('refuses when no step waits', () => {
    expect(approvalRequest(awaitingTwo([approver.by]), approver)).toMatchObject({
      kind: 'refused',
      why: 'ana@example.com approved step 3 already; it needs 2 people, and somebody else is to approve it too.',
    });
    expect(approvalRequest(shifting, approver)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('waits for no approval'),
    });
    expect(approvalRequest(rolledBack, approver)).toMatchObject({
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
  test('takes the rejection that is in the way, whichever came last', () => {
    const [first] = rolledBack.status?.rejected ?? [];
    const later = { ...first, version: '1.0.5', revision: '90cc1', at: NOON.toISOString() };
    const older = { ...first, revision: '11dd2', at: '2026-01-01T00:00:00Z' };
    const rejected = [older, first, later];
    const service = { ...rolledBack, status: { ...rolledBack.status, rejected } } as typeof rolledBack;
    expect(retryRequest(service, undefined)).toMatchObject({ kind: 'patch', patch });
    const message = 'Change the spec, or annotate this object with slipway.dev/retry: 11dd2.';
    const conditions = [{ type: 'Stalled', status: 'True', reason: 'RejectedVersion', message }];
    const stalled = { ...service, status: { ...service.status, conditions } } as typeof rolledBack;
    expect(retryRequest(stalled, undefined)).toMatchObject({
      patch: { metadata: { annotations: { 'slipway.dev/retry': '11dd2' } } },
    });
  });
  test('refuses a revision that was not rejected and lists those that were', () => {
    expect(retryRequest(rolledBack, 'other')).toEqual({
      kind: 'refused',
      why: 'Revision other of infs/flights was not rejected; rejected are: 77aa0.',
    });
    expect(retryRequest(shifting, undefined)).toMatchObject({ kind: 'refused' });
  });
});

describe('what a person does to a rollout under way', () => {
  const annotated = (name: string, value: string | null) => ({
    kind: 'patch',
    patch: { metadata: { annotations: { [`slipway.dev/${name}`]: value } } },
  });
  const complete: InferenceService = {
    ...shifting,
    status: {
      stable: { ...version('1.1.0', 'b'), rolloutID: 'r-77aa0' },
      previous: version('1.0.0', 'a'),
    },
  };
  const { stable: _stable, ...withoutStable } = shifting.status ?? {};
  const first: InferenceService = { ...shifting, status: withoutStable };
  const paused = { ...shifting, metadata: { ...shifting.metadata, annotations: { 'slipway.dev/pause': 'true' } } };
  test.each([
    ['promote names this rollout, so that it speeds up no later one', promotionRequest(shifting), 'promote', 'r-77aa0'],
    ['abort names this rollout', abortRequest(shifting), 'abort', 'r-77aa0'],
    ['rollback of a live rollout is an abort', rollbackRequest(shifting), 'abort', 'r-77aa0'],
    ['rollback after a promotion names the rollout that it undoes', rollbackRequest(complete), 'rollback', 'r-77aa0'],
    ['pause holds it', pauseRequest(shifting), 'pause', 'true'],
    ['resume takes the pause away', resumeRequest(paused), 'pause', null],
  ])('%s', (_name, request, name, value) => expect(request).toMatchObject(annotated(name, value)));
  test.each([
    ['promote', promotionRequest(rolledBack), 'nothing to promote'],
    ['abort', abortRequest(rolledBack), 'nothing to abort'],
    [
      'abort of a first version',
      abortRequest(first),
      'no stable version yet, so there is none to go back to from 1.1.0: set',
    ],
    ['rollback of a first version', rollbackRequest(first), 'or delete it'],
    ['rollback with no version before', rollbackRequest(rolledBack), 'set spec.model.version'],
    ['pause of what is paused', pauseRequest(paused), 'kubectl slipway resume infs/flights'],
    ['resume of what is not paused', resumeRequest(shifting), 'is not paused'],
  ])('%s is refused where there is nothing to do, in a sentence', (_name, request, why) => {
    expect(request).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) });
  });
});

describe('wait', () => {
  const [serving, stalled] = rolledBack.status?.conditions ?? [];
  const trained = { ...training, status: { ...training.status, conditions: serving === undefined ? [] : [serving] } };
  const failed = { ...training, status: { ...training.status, conditions: stalled === undefined ? [] : [stalled] } };
  const staged = (reached: 'True' | 'False', stuck: 'True' | 'False' = 'False'): Watched => {
    const [ready] = gated.status?.conditions ?? [];
    if (ready === undefined) throw new Error('the sample has a condition');
    const conditions = [
      { ...ready, type: 'StageReached', status: reached },
      { ...ready, type: 'Stalled', status: stuck },
    ];
    return { ...gated, status: { ...gated.status, conditions } };
  };
  const stale = { ...shifting, metadata: { ...shifting.metadata, generation: 5 } };
  test.each<[string, Watched, Parameters<typeof standing>[1], string]>([
    ['a serving service is Ready', shifting, 'Ready', 'reached'],
    ['flagger#830: a status of an older spec is not an answer', stale, 'Ready', 'waiting'],
    ['a rollout under way is waited for', shifting, 'RolloutComplete', 'waiting'],
    ['a rolled-back rollout never completes', rolledBack, 'RolloutComplete', 'never'],
    ['a rolled-back rollout is RolledBack', rolledBack, 'RolledBack', 'reached'],
    ['a rolled-back service is still Ready', rolledBack, 'Ready', 'reached'],
    ['a gated version is Ready', gated, 'Ready', 'reached'],
    ['a version that waits for approval is waited for', staged('False'), 'StageReached', 'waiting'],
    ['a version that is where it is asked to be', staged('True'), 'StageReached', 'reached'],
    ['a version that was rolled back gets no further', staged('False', 'True'), 'StageReached', 'never'],
    ['a running training has not Succeeded', training, 'Succeeded', 'waiting'],
    ['a training that is Ready has Succeeded', trained, 'Succeeded', 'reached'],
    ['a training that is Stalled never will have', failed, 'Succeeded', 'never'],
  ])('%s', (_name, object, goal, want) => expect(standing(object, goal).kind).toBe(want));
});

describe('explain', () => {
  test.each([
    ['Shifting', true],
    ['Previewing', false],
    ['Complete', false],
  ])('tells in phase %s of a guard without a verdict: %s', (phase, tells) => {
    const { candidate, ...status } = shifting.status ?? {};
    const service = { ...shifting, status: { ...status, candidate: { ...candidate, phase } } } as typeof shifting;
    expect(explain(service).join(' ').includes('Guard errors needs more requests')).toBe(tells);
  });
  test('says what mends a guard that can not be asked, and says it of a blind one', () => {
    const { candidate, ...status } = shifting.status ?? {};
    const [guard] = candidate?.guards ?? [];
    const why = 'Prometheus refuses the query value: parse error';
    const stalled = {
      type: 'Stalled',
      status: 'True',
      reason: 'GuardInvalid',
      message: `Guard errors can't be asked: it.`,
    };
    const guards = [{ ...guard, verdict: 'Blind', message: why }];
    const service = { ...shifting, status: { ...status, candidate: { ...candidate, guards }, conditions: [stalled] } };
    const text = explain(service as unknown as typeof shifting)
      .join(' ')
      .replace(/\s+/g, ' ');
    expect(text).toContain(`Guard errors is blind: ${why}, so the rollout holds.`);
    expect(text).toContain("Stalled=True (GuardInvalid): Guard errors can't be asked: it.");
  });
  test.each([
    ['True', 'hour psi 0.28 (0.1 to 0.5), limit 0.2', true],
    ['False', 'Like the training data', false],
  ])('tells of a drift, which is no good news: %s', (status, message, tells) => {
    const conditions = [{ type: 'DriftDetected', status, reason: 'Drift', message }];
    const service = { ...shifting, status: { ...shifting.status, conditions } } as unknown as typeof shifting;
    expect(explain(service).join(' ').replace(/\s+/g, ' ').includes(message)).toBe(tells);
    expect(renderObject(service, NOON).join(' ').replace(/\s+/g, ' ').includes(message)).toBe(tells);
  });
  test('tells a rejection once', () => {
    const [first] = rolledBack.status?.rejected ?? [];
    const message = `flights 1.1.0 was rolled back: ${first?.message}`;
    const conditions = [{ type: 'Stalled', status: 'True', reason: 'RolledBack', message }];
    const service = { ...rolledBack, status: { ...rolledBack.status, conditions } } as typeof rolledBack;
    expect(
      explain(service)
        .join(' ')
        .match(/of 90 requests failed/g),
    ).toHaveLength(1);
  });
  test('says how a paused rollout goes on', () => {
    const paused = {
      type: 'Paused',
      status: 'True',
      reason: 'PausedByPerson',
      message: 'a person paused it.',
    } as const;
    const { status } = shifting;
    const conditions = [{ ...paused, observedGeneration: 4, lastTransitionTime: NOON.toISOString() }];
    const text = explain({ ...shifting, status: { ...status, conditions } } as typeof shifting).join(' ');
    expect(text).toContain('kubectl slipway resume infs/flights');
  });
  test('says once what several conditions say', () => {
    const { status } = shifting;
    const conditions = ['Ready', 'RolloutComplete'].map((type) => ({
      type,
      status: 'False',
      reason: 'No',
      message: 'as said',
    }));
    const service = {
      ...shifting,
      status: { ...status, candidate: undefined, conditions },
    } as unknown as typeof shifting;
    expect(
      explain(service)
        .join(' ')
        .match(/as said/g),
    ).toHaveLength(1);
  });
  test('says what to type when an approval is awaited', () => {
    expect(explain(awaitingApproval).join(' ')).toContain('kubectl slipway approve infs/flights');
  });
  test('says which guard needs more requests, and how long it may take', () => {
    expect(explain(shifting).join(' ')).toContain(
      'Guard errors needs more requests: 120 so far give [0%, 3.1%] against a limit of 1%, about 14s to go.',
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

describe('the chain from a decision to the training run', () => {
  const told = (service: InferenceService): string => explainChain(service, [gated]).join(' ').replace(/\s+/g, ' ');
  const entry = {
    from: '5%',
    to: '25%',
    at: '2026-03-01T11:59:48Z',
    reason: 'GuardsPassed',
    message: 'errors 0 of 412',
    previousHash: '',
  };
  const history = [{ ...entry, hash: sealOf(entry) }];
  const service = { ...shifting, status: { ...shifting.status, history } as typeof shifting.status & {} };
  test('names the last decision with its numbers, the version, its gates and its training run', () => {
    expect(told(service)).toContain('5% to 25%, GuardsPassed. errors 0 of 412 (the 1 decisions kept hold together');
    expect(told(service)).toContain('made by tj/flights-v1');
    expect(told(service)).toContain('accuracy Pass: 0.8123 [0.8011, 0.8230]');
  });
  test('says when the record was changed after it was written', () => {
    const changed = [{ ...history[0], message: 'errors 0 of 999999' }] as typeof history;
    const status = { ...shifting.status, history: changed } as typeof shifting.status & {};
    expect(told({ ...shifting, status })).toContain('the record was changed after it was written');
  });
  test('keeps within 80 columns', () => {
    expect(explainChain(service, [gated]).every((line) => line.length <= 80)).toBe(true);
  });
});
