import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTIFICATIONS, VERSION_NOTIFICATIONS } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { decisionEvent, driftEvent } from './cloudEvent.ts';
import { NONE } from './pending.ts';
import { pendingOf } from './services.ts';
import { AT, DIGEST, historyOf, service } from './testing/service.ts';
import { BY_REASON, notificationOf } from './told.ts';

const NOW = new Date('2030-01-31T09:10:00Z');
const SINK = { sink: 'http://sink.example' };
const history = historyOf([
  { reason: 'RolloutStarted', from: '1.0.0', to: '1.1.0', digest: DIGEST },
  { reason: 'WeightChanged', from: 'Preparing', to: 'Shifting 5%' },
  { reason: 'AwaitingApproval', from: 'Shifting 5%', to: 'AwaitingApproval', digest: DIGEST },
  { reason: 'Approved', from: 'AwaitingApproval', to: 'Shifting 50%', by: 'alice', digest: DIGEST },
  { reason: 'RolledBack', from: 'Shifting 50%', to: 'RollingBack', digest: DIGEST, message: '6.5% of 400 failed.' },
]);
const hashes = history.map(({ hash }) => hash);
const typesOf = (about: ReturnType<typeof service>) =>
  pendingOf(about, NOW).steps.flatMap(({ event }) => (event ? [event.type.slice('dev.slipway.'.length)] : []));

test('entries that have no hash yet are told once they have one, as an event without a name would be refused', () => {
  const unchained = history.map(({ hash: _h, previousHash: _p, ...entry }) => entry as never);
  const pending = pendingOf(service({ history: unchained }), NOW);
  expect(pending).toEqual({ steps: [], lost: false });
  expect(typesOf(service({ history }))).toContain('rolledBack');
});

describe('a decision is told as', () => {
  test.each([
    ['RolloutStarted', '1.1.0', 'rolloutStarted'],
    ['CandidateReplaced', 'Preparing', 'rolloutStarted'],
    ['RollbackStarted', '1.0.0', 'rolloutStarted'],
    ['Promoted', '1.1.0', 'promoted'],
    ['RolledBack', 'RollingBack', 'rolledBack'],
    ['RolloutAborted', 'Idle', 'rolledBack'],
    ['AwaitingApproval', 'AwaitingApproval', 'awaitingApproval'],
    ['PausedByPerson', 'PausedByPerson', 'held'],
    ['OutsideWindow', 'OutsideWindow', 'held'],
    ['WeightChanged', 'Shifting 5%', undefined],
    ['BakeStarted', 'Baking', undefined],
    ['Approved', 'Shifting 5%', undefined],
  ])('%s, leading to %s: %s', (reason, to, type) => {
    expect(notificationOf({ reason, to })).toBe(type);
  });
});

test('the reasons are those that the rules of the rollout give', () => {
  const rules = join(import.meta.dirname, '..', 'domain', 'rollout', 'rules');
  const code = readdirSync(rules).map((name) => readFileSync(join(rules, name), 'utf8'));
  for (const reason of Object.keys(BY_REASON)) expect(code.join('\n')).toContain(`'${reason}'`);
});

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'notifications.md'), 'utf8');

test('an event says all that the history knows, is named by the hash of its entry, and is as docs/notifications.md shows it', () => {
  const status = { history, rolloutID: 'r-2', rejected: [{ version: '1.1.0', digest: DIGEST }] } as never;
  const [, shown = ''] = /```json\n([^`]*)```/.exec(page) ?? [];
  expect(decisionEvent(service(status), history[4] as never)).toEqual({ ...JSON.parse(shown), id: hashes[4] });
});

test('docs/notifications.md tells of every type, and of no other', () => {
  const told = [...page.matchAll(/^\|.*$/gm)]
    .flatMap(([row]) => [...row.matchAll(/`dev\.slipway\.(\w+)`/g)])
    .map(([, type]) => type);
  expect(told.sort()).toEqual([...NOTIFICATIONS, ...VERSION_NOTIFICATIONS].sort());
});

test('an entry from before the newest rollout is not said to be of it', () => {
  const two = historyOf([
    { reason: 'Promoted', to: '1.1.0' },
    { reason: 'RolloutStarted', to: '1.2.0' },
  ]);
  const about = service({ history: two, rolloutID: 'r-3' });
  expect(two.map((entry) => decisionEvent(about, entry)?.data.rolloutID)).toEqual([undefined, 'r-3']);
});

describe('what a sink is owed', () => {
  test('begins behind what it has taken, in the order in which it happened', () => {
    expect(typesOf(service({ history, notified: NONE }, SINK))).toEqual([
      'rolloutStarted',
      'awaitingApproval',
      'rolledBack',
    ]);
    expect(typesOf(service({ history, notified: hashes[0] as string }, SINK))).toEqual([
      'awaitingApproval',
      'rolledBack',
    ]);
    expect(pendingOf(service({ history, notified: hashes[4] as string }, SINK), NOW).steps).toEqual([]);
  });

  test('is what it asks for; the rest is passed over', () => {
    const about = service({ history, notified: NONE }, { ...SINK, events: ['rolledBack'] });
    expect(typesOf(about)).toEqual(['rolledBack']);
    expect(pendingOf(about, NOW).steps.at(-1)?.after).toEqual({ notified: hashes[4] });
  });

  test('where it is new: what was decided within the hour, and that is written down first', () => {
    const old = history.map((entry, i) => (i < 3 ? { ...entry, at: '2030-01-31T08:00:00Z' } : entry));
    expect(typesOf(service({ history: old }, SINK))).toEqual(['rolledBack']);
    expect(pendingOf(service({ history: old }, SINK), NOW).start).toEqual({ notified: hashes[2] });
    expect(pendingOf(service({ history }, SINK), NOW).start).toEqual({ notified: NONE });
    expect(pendingOf(service({}, SINK), NOW)).toEqual({ steps: [], start: { notified: NONE }, lost: false });
    const ancient = history.map((entry) => ({ ...entry, at: '2029-01-31T08:00:00Z' }));
    expect(pendingOf(service({ history: ancient }, SINK), NOW)).toMatchObject({
      steps: [],
      start: { notified: hashes[4] },
    });
  });

  test('is said to be incomplete once decisions left the history untold, and only then', () => {
    const kept = service({ history: history.slice(2), notified: hashes[0] as string }, SINK);
    expect(pendingOf(kept, NOW)).toMatchObject({ lost: true });
    expect(typesOf(kept)).toEqual(['awaitingApproval', 'rolledBack']);
    const whole = service({ history: history.slice(2), notified: hashes[1] as string }, SINK);
    expect(pendingOf(whole, NOW).lost).toBe(false);
    expect(pendingOf(service({ history: history.slice(2), notified: NONE }, SINK), NOW).lost).toBe(true);
  });
});

describe('drift', () => {
  const drifting = (since: string, notifiedDrift?: string) =>
    service(
      {
        history: [],
        notified: NONE,
        ...(notifiedDrift && { notifiedDrift }),
        conditions: [
          {
            type: 'DriftDetected',
            status: 'True',
            reason: 'Drifted',
            message: 'distance: psi 0.4.',
            lastTransitionTime: since,
          },
        ],
        drift: { version: '1.1.0', at: since, n: 10 },
      } as never,
      SINK,
    );

  test('is told once from when it begins to when it ends, with an id of its own', () => {
    const [step] = pendingOf(drifting(AT), NOW).steps;
    expect(step?.event).toMatchObject({
      type: 'dev.slipway.drift',
      time: AT,
      data: { service: 'flights', version: '1.1.0', reason: 'Drifted', message: 'distance: psi 0.4.' },
    });
    expect(step?.after).toEqual({ notifiedDrift: AT });
    expect(pendingOf(drifting(AT, AT), NOW).steps).toEqual([]);
    const again = '2030-02-01T09:00:00Z';
    expect(driftEvent(drifting(again))?.id).not.toBe(driftEvent(drifting(AT))?.id);
    expect(pendingOf(drifting(again, AT), NOW).steps).toHaveLength(1);
  });
});
