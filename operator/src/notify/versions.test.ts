import type { Condition } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import type { ModelVersion } from '../api/kinds.ts';
import { digestOf, registered } from '../domain/registry/builders.ts';
import { historyWith } from '../domain/registry/history.ts';
import { pendingIn } from './pending.ts';
import { accountOfVersion } from './versions.ts';

const NOW = new Date('2026-01-01T00:10:00Z');
const moves = [
  { from: '', to: 'Candidate', reason: 'Registered', message: 'It was registered.' },
  { from: 'Candidate', to: 'Staging', reason: 'Promoted', message: 'It is verified.' },
  { from: 'Staging', to: 'Production', reason: 'Promoted', by: 'alice', message: 'alice approved.' },
  { from: 'Production', to: 'Archived', reason: 'Archived', message: 'No new rollout to it starts.' },
  { from: 'Archived', to: 'Archived', reason: 'FilesDeleted', message: 'Its files are gone.' },
];
const history = moves.reduce<NonNullable<NonNullable<ModelVersion['status']>['history']>>(
  (before, move) => historyWith(before, move, new Date('2026-01-01T00:00:00Z')),
  [],
);
const told = (mv: ModelVersion) => pendingIn(accountOfVersion(mv), NOW).steps.flatMap(({ event }) => event ?? []);
const short = (mv: ModelVersion) => told(mv).map(({ type }) => type.slice('dev.slipway.'.length));

test('mlflow#14677: stages that a version reaches are told in order, named by their entry, and say who approved', () => {
  const version = registered('1.0.0', 'Archived', { status: { history } });
  expect(short(version)).toEqual(['versionInStaging', 'versionInProduction', 'versionArchived']);
  expect(told(version)[1]).toEqual({
    specversion: '1.0',
    id: history[2]?.hash,
    source: '/apis/slipway.dev/v1alpha1/namespaces/ml/modelversions/flights-1.0.0',
    type: 'dev.slipway.versionInProduction',
    subject: 'flights-1.0.0',
    time: '2026-01-01T00:00:00Z',
    datacontenttype: 'application/json',
    data: {
      namespace: 'ml',
      modelVersion: 'flights-1.0.0',
      model: 'flights',
      version: '1.0.0',
      digest: digestOf('1.0.0'),
      from: 'Staging',
      to: 'Production',
      reason: 'Promoted',
      by: 'alice',
      message: 'alice approved.',
    },
  });
});

test('what the sink has taken is not told again', () => {
  const notified = history[2]?.hash as string;
  expect(short(registered('1.0.0', 'Archived', { status: { history, notified } }))).toEqual(['versionArchived']);
});

describe('people are asked', () => {
  const condition = (type: string, status: Condition['status'], lastTransitionTime: string): Condition => ({
    type,
    status,
    reason: 'ApprovalMissing',
    message: 'kubectl slipway approve mv/flights-1.0.0 --stage=Production',
    observedGeneration: 1,
    lastTransitionTime,
  });
  const waiting = (gates: 'True' | 'Unknown', more: object = {}) =>
    registered('1.0.0', 'Candidate', {
      spec: { stage: 'Production' },
      status: {
        history: [],
        conditions: [
          condition('Approved', 'False', '2026-01-01T00:00:00Z'),
          condition('GatesPassed', gates, '2026-01-01T00:05:00Z'),
        ],
        ...more,
      },
    });

  test('once its gates pass, and not before: it may need nobody', () => {
    expect(told(waiting('Unknown'))).toEqual([]);
    expect(told(waiting('True'))).toMatchObject([
      {
        type: 'dev.slipway.versionAwaitingApproval',
        time: '2026-01-01T00:05:00Z',
        data: { to: 'Production', reason: 'ApprovalMissing' },
      },
    ]);
  });

  test('once a stage: the first of two people is no news, another stage is', () => {
    const [step] = pendingIn(accountOfVersion(waiting('True')), NOW).steps;
    const marked = waiting('True', step?.after);
    expect(told(marked)).toEqual([]);
    const staged = { ...marked, spec: { ...marked.spec, stage: 'Staging' as const } };
    expect(short(staged)).toEqual(['versionAwaitingApproval']);
    expect(told(staged)[0]?.id).not.toBe(step?.event?.id);
  });
});
