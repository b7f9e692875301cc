import { describe, expect, test } from 'vitest';
import {
  after,
  approvalOf,
  candidateAt,
  evidenceOf,
  pods,
  requests,
  routeTo,
  serving,
  shifting,
  specOf,
  targetOf,
  versionOf,
} from './builders.ts';
import { plan } from './plan.ts';
import { candidateOf, failing, fatal, fresh, passing, preparing, rolledBack, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

interface Want {
  readonly rule: string;
  readonly candidate?: object | undefined;
  readonly weights?: Readonly<Record<string, number>>;
  readonly replicas?: Readonly<Record<string, number>>;
}
const cases: Record<string, { given: World; want: Want }> = {
  'a service in sync rests': {
    given: serving,
    want: { rule: 'in-sync', weights: { [V0]: 10_000 }, replicas: { [V0]: 2 } },
  },
  'a new version starts beside stable, without traffic': {
    given: { ...serving, target: targetOf(1) },
    want: {
      rule: 'start',
      candidate: { phase: 'Preparing', weight: 0 },
      weights: { [V0]: 10_000 },
      replicas: { [V0]: 2, [V1]: 1 },
    },
  },
  'more replicas are a scale, not a rollout': {
    given: { ...serving, spec: specOf({}, 5) },
    want: { rule: 'in-sync', candidate: undefined, replicas: { [V0]: 5 } },
  },
  'a missing ModelVersion starts nothing': {
    given: { ...serving, target: targetOf(1, 'Missing') },
    want: { rule: 'await-model', candidate: undefined, weights: { [V0]: 10_000 } },
  },
  'a refused ModelVersion starts nothing': {
    given: { ...serving, target: targetOf(1, 'Refused') },
    want: { rule: 'await-model', candidate: undefined },
  },
  'an unready candidate gets no traffic': {
    given: { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(0) } },
    want: { rule: 'await-pods', weights: { [V0]: 10_000 } },
  },
  'a candidate whose digest nobody reported gets no traffic': {
    given: { ...preparing, evidence: {} },
    want: { rule: 'await-digest', weights: { [V0]: 10_000 } },
  },
  'modelmesh-serving#377: a candidate that reports another digest is rolled back': {
    given: { ...preparing, ...seen({ ...evidenceOf(1, requests(0), 1), digests: [versionOf(0).digest] }) },
    want: { rule: 'roll-back', candidate: { phase: 'RollingBack' } },
  },
  'a ready candidate enters the first step': {
    given: preparing,
    want: {
      rule: 'enter-first-step',
      candidate: { phase: 'Shifting', step: 0, weight: 5 },
      weights: { [V0]: 9500, [V1]: 500 },
    },
  },
  'a candidate that is not ready in time is rolled back': {
    given: { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(0) }, now: after(601) },
    want: { rule: 'roll-back', candidate: { phase: 'RollingBack' } },
  },
  'pods that are ready but can not be read are waited for past the deadline': {
    given: { ...preparing, evidence: {}, now: after(6000) },
    want: { rule: 'await-digest' },
  },
  'a candidate in a crash loop is rolled back at once': {
    given: { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(0, { trouble: fatal }) } },
    want: { rule: 'roll-back', candidate: { phase: 'RollingBack' } },
  },
  'too few requests hold the weight': {
    given: shifting,
    want: { rule: 'hold-inconclusive', candidate: { weight: 5, step: 0 } },
  },
  'a failed guard takes all traffic away': {
    given: { ...shifting, ...failing },
    want: { rule: 'roll-back', candidate: { phase: 'RollingBack', weight: 0 }, weights: { [V0]: 10_000 } },
  },
  'no traffic to the candidate holds': {
    given: { ...shifting, ...seen(evidenceOf(1, requests(0), 1)) },
    want: { rule: 'hold-blind', candidate: { weight: 5 } },
  },
  'pods that do not answer hold': {
    given: { ...shifting, ...seen(evidenceOf(1, requests(5000), 0)) },
    want: { rule: 'hold-blind', candidate: { weight: 5 } },
  },
  'errors already counted roll back though no pod answers now': {
    given: { ...shifting, ...seen(evidenceOf(1, requests(60, 40), 0)) },
    want: { rule: 'roll-back' },
  },
  'a route that is not programmed holds': {
    given: { ...shifting, ...passing, route: { state: 'Pending' } },
    want: { rule: 'await-route', candidate: { weight: 5 } },
  },
  'a split that the pods do not confirm holds': {
    given: { ...shifting, ...seen(evidenceOf(1, requests(2000)), evidenceOf(0, requests(2000))) },
    want: { rule: 'await-split', candidate: { weight: 5 } },
  },
  'a passed guard and an agreed split go on to the next step': {
    given: { ...shifting, ...passing },
    want: { rule: 'advance', candidate: { step: 1, weight: 50 }, weights: { [V0]: 5000, [V1]: 5000 } },
  },
  'the next weight waits for its pods': {
    given: { ...shifting, ...passing, spec: specOf({}, 4), revisions: { [V0]: pods(4), [V1]: pods(1) } },
    want: {
      rule: 'advance',
      candidate: { step: 1, weight: 5 },
      weights: { [V0]: 9500, [V1]: 500 },
      replicas: { [V0]: 4, [V1]: 2 },
    },
  },
  'a weight that is owed holds until its pods are ready': {
    given: {
      ...shifting,
      spec: specOf({}, 4),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 1) },
      revisions: { [V0]: pods(4), [V1]: pods(1) },
    },
    want: { rule: 'await-capacity', candidate: { weight: 5 }, replicas: { [V0]: 4, [V1]: 2 } },
  },
  'pods for what an autoscaler made of stable are asked for': {
    given: {
      ...preparing,
      spec: specOf({ steps: [{ weight: 50 }, { weight: 100 }] }),
      revisions: { [V0]: pods(8), [V1]: pods(1) },
    },
    want: { rule: 'await-pods', replicas: { [V0]: 2, [V1]: 4 } },
  },
  'a step with a time lasts that long though its guards pass': {
    given: { ...shifting, ...passing, spec: specOf({ steps: [{ weight: 5, for: '1m' }, { weight: 100 }] }) },
    want: { rule: 'hold-time', candidate: { weight: 5, step: 0 } },
  },
  'and goes on after it': {
    given: {
      ...shifting,
      ...passing,
      now: after(31),
      spec: specOf({ steps: [{ weight: 5, for: '1m' }, { weight: 100 }] }),
    },
    want: { rule: 'advance', candidate: { step: 1 } },
  },
  'without guards and without traffic a step goes on after ten seconds': {
    given: { ...shifting, evidence: {}, spec: specOf({ guards: [] }) },
    want: { rule: 'advance', candidate: { step: 1 } },
  },
  'an approval step waits for a person': {
    given: { ...shifting, ...passing, spec: specOf({ steps: [{ approval: true }, { weight: 100 }] }) },
    want: { rule: 'await-approval', candidate: { awaitingApproval: true, weight: 5 } },
  },
  'an approval of another rollout counts for nothing': {
    given: {
      ...shifting,
      ...passing,
      spec: { ...specOf({ steps: [{ approval: true }, { weight: 100 }] }), approvals: [approvalOf(0, 'r-0')] },
    },
    want: { rule: 'await-approval' },
  },
  'the right approval lets it pass': {
    given: {
      ...shifting,
      ...passing,
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      spec: { ...specOf({ steps: [{ approval: true }, { weight: 100 }] }), approvals: [approvalOf(0)] },
    },
    want: { rule: 'approve', candidate: { step: 1, weight: 100 } },
  },
  'guards are armed while a person is waited for': {
    given: { ...shifting, ...failing, spec: specOf({ steps: [{ approval: true }, { weight: 100 }] }) },
    want: { rule: 'roll-back' },
  },
  'a candidate with traffic and no ready pod is rolled back': {
    given: { ...shifting, revisions: { [V0]: pods(2), [V1]: pods(0) } },
    want: { rule: 'roll-back' },
  },
  'the last step leads into the bake': {
    given: {
      ...shifting,
      ...seen(evidenceOf(1, requests(2000)), evidenceOf(0, requests(0))),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    },
    want: {
      rule: 'start-bake',
      candidate: { phase: 'Baking' },
      weights: { [V1]: 10_000 },
      replicas: { [V0]: 2, [V1]: 2 },
    },
  },
  'a guard that fails in the bake rolls back': {
    given: {
      ...shifting,
      ...failing,
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      route: routeTo({ 1: 10_000 }),
    },
    want: { rule: 'roll-back', weights: { [V0]: 10_000 } },
  },
  'the end of the bake promotes': {
    given: {
      ...shifting,
      ...seen(evidenceOf(1, requests(2000))),
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    },
    want: { rule: 'promote', candidate: { phase: 'Complete' }, weights: { [V1]: 10_000 }, replicas: { [V1]: 2 } },
  },
  'a rollback waits for the gateway before the pods go': {
    given: { ...shifting, status: { ...rolledBack.status, candidate: candidateAt('RollingBack', 0) } },
    want: { rule: 'rolling-back', weights: { [V0]: 10_000 }, replicas: { [V0]: 2, [V1]: 1 } },
  },
  'and is over when the gateway has let go': {
    given: {
      ...shifting,
      route: routeTo({ 0: 10_000 }),
      status: { ...rolledBack.status, candidate: candidateAt('RollingBack', 0) },
    },
    want: { rule: 'rolled-back', candidate: { phase: 'RolledBack' }, replicas: { [V0]: 2 } },
  },
  'the same spec after a rollback does nothing': {
    given: rolledBack,
    want: { rule: 'stay-rolled-back', replicas: { [V0]: 2 } },
  },
  'a rejected revision asked for again does nothing': {
    given: { ...rolledBack, status: { stable: versionOf(0), rejected: rolledBack.status.rejected } },
    want: { rule: 'refuse-rejected', candidate: undefined, replicas: { [V0]: 2 } },
  },
  'a person may have it tried again': {
    given: { ...rolledBack, asked: { retry: V1 } },
    want: { rule: 'start', candidate: { phase: 'Preparing' } },
  },
  'but an annotation that was acted on is no second wish': {
    given: { ...rolledBack, asked: { retry: V1 }, status: { ...rolledBack.status, lastHandledRetry: V1 } },
    want: { rule: 'stay-rolled-back' },
  },
  'the spec set back to stable aborts': {
    given: { ...shifting, target: targetOf(0) },
    want: { rule: 'abort', candidate: undefined, weights: { [V0]: 10_000 }, replicas: { [V0]: 2 } },
  },
  'a third version replaces the candidate, and stable stays': {
    given: { ...shifting, target: targetOf(2) },
    want: {
      rule: 'replace-candidate',
      candidate: { version: '1.2.0', phase: 'Preparing', weight: 0 },
      weights: { [V0]: 10_000 },
    },
  },
  'a third version that is not ready leaves everything as it is': {
    given: { ...shifting, ...passing, target: targetOf(2, 'Pending') },
    want: { rule: 'hold-for-model', candidate: { version: '1.1.0', weight: 5 } },
  },
  'the ModelVersion refused in mid-rollout rolls back': {
    given: { ...shifting, ...passing, target: targetOf(1, 'Refused') },
    want: { rule: 'roll-back' },
  },
  'the first version of all starts with all of its pods': {
    given: fresh,
    want: { rule: 'start', candidate: { phase: 'Preparing' }, weights: {}, replicas: { [V0]: 2 } },
  },
};

describe('one pass', () => {
  test.each(Object.entries(cases))('%s', (_sentence, { given, want }) => {
    const decided = plan(given);
    expect(decided.rule).toBe(want.rule);
    if ('candidate' in want) {
      if (want.candidate === undefined) expect(candidateOf(decided)).toBeUndefined();
      else expect(candidateOf(decided)).toMatchObject(want.candidate);
    }
    if (want.weights !== undefined) {
      expect(Object.fromEntries(decided.backends.map((b) => [b.revision, b.weight]))).toEqual(want.weights);
    }
    if (want.replicas !== undefined) expect(decided.replicas).toEqual(want.replicas);
  });
});
