import type { Condition } from '@slipway/crds';
import { encodeReport } from '@slipway/crds';
import { ANNOTATIONS, ENV } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { AT, after, childJob, pod } from '../../../test/trainingBuilders.ts';
import type { ModelVersion } from '../../api/kinds.ts';
import { digestOf, registered, service } from '../../domain/registry/builders.ts';
import { mergeConditions } from '../../kube/conditions.ts';
import type { Stored } from '../../kube/wire.ts';
import { NO_JOB } from '../jobs/jobWorld.ts';
import { NOTHING_LACKS } from './needs.ts';
import { plan } from './plan.ts';
import { NOTICE_MS } from './removal.ts';
import type { Plan, World } from './world.ts';

const world = (mv: Stored<ModelVersion>, changes: Partial<World> = {}): World => ({
  mv,
  now: after(100),
  verification: NO_JOB,
  verifier: 'verify-uid',
  removal: NO_JOB,
  needs: NOTHING_LACKS,
  services: [],
  siblings: [],
  others: [],
  ...changes,
});
const truth = ({ observed }: Plan, type: string): string => {
  const found = observed.find((c) => c.type === type);
  return `${found?.status} ${found?.reason}`;
};
/** The version as the next pass finds it. */
const written = ({ mv, now }: World, { status, observed }: Plan): Stored<ModelVersion> => {
  const conditions: Condition[] = mergeConditions(mv.status?.conditions ?? [], observed, 1, now);
  return { ...mv, status: { ...status, conditions } };
};
const report = (version: string, signedBy?: string, reportsSkipped?: string): string =>
  encodeReport({
    schema: 'slipway.dev/verification/v1',
    digest: digestOf(version),
    files: 3,
    bytes: 1000,
    signature: { inputs: [], outputs: [] },
    gates: [],
    reports: { uri: 's3://models/flights/x.reports', digest: digestOf('9.9.9') },
    ...(signedBy === undefined ? {} : { signedBy }),
    ...(reportsSkipped === undefined ? {} : { reportsSkipped }),
  }) ?? '';
const ended = (version: string, changes: object = {}) => ({
  job: { ...childJob('verify', 'Complete'), ...changes },
  pods: [pod({ container: 'verify', phase: 'Succeeded', exitCode: 0, message: report(version, 'sha256:cafe') })],
});

const stableOne = { version: '1.0.0', digest: digestOf('1.0.0'), revision: 'r' };

describe('stages', () => {
  const asks = registered('1.0.0', 'Candidate', { spec: { stage: 'Production' } });

  test('a version that lacks nothing reaches Production in one pass, is current and says so', () => {
    const got = plan(world(asks));
    expect(got.status).toMatchObject({ stage: 'Production', current: true });
    expect(got.status.history?.at(-1)).toMatchObject({ from: 'Candidate', to: 'Production', reason: 'Promoted' });
    expect(truth(got, 'StageReached')).toBe('True Reached');
  });

  test('mlflow#14677, mlflow#2383: a change of stage is an Event, once', () => {
    const got = plan(world(asks));
    expect(got.events).toMatchObject([
      { reason: 'Promoted', message: expect.stringContaining('Candidate to Production') },
    ]);
    expect(plan(world(written(world(asks), got))).events).toEqual([]);
  });

  test('a new version is registered, and asks for more in the next pass', () => {
    const { stage: _s, history: _h, ...status } = asks.status ?? {};
    const got = plan(world({ ...asks, status }));
    expect(got.status).toMatchObject({ stage: 'Candidate', history: [{ from: '', to: 'Candidate' }] });
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 1 });
  });

  test('an approval that comes is seen, told and kept', () => {
    const waiting = { ...asks, spec: { ...asks.spec, approval: 'Required' as const } };
    expect(truth(plan(world(waiting)), 'StageReached')).toBe('False AwaitingApproval');
    const approvals = [{ by: 'alice', stage: 'Production' as const, digest: digestOf('1.0.0'), at: AT }];
    const got = plan(world({ ...waiting, spec: { ...waiting.spec, approvals } }));
    expect(got.status.history?.at(-1)).toMatchObject({ to: 'Production', by: 'alice' });
    expect(truth(got, 'Approved')).toBe('True Approved');
  });

  test('current moves on to the version that came last, and the one before says whom', () => {
    const before = registered('0.9.0', 'Production', { status: { current: true } });
    const got = plan(world(before, { siblings: [registered('1.0.0', 'Production', { second: 50 })] }));
    expect(got.status).not.toHaveProperty('current');
    expect(got.observed.find(({ type }) => type === 'StageReached')?.message).toContain(
      'flights-1.0.0 came there later',
    );
  });

  test('a quiet pass changes nothing', () => {
    const first = world(asks);
    const second = world(written(first, plan(first)), { now: after(200) });
    const third = world(written(second, plan(second)), { now: after(300) });
    expect(third.mv).toEqual(second.mv);
    expect(plan(third)).toMatchObject({ actions: [], events: [], next: { kind: 'settled' } });
  });

  test('a version of a release that knew no stages stays Ready, and is a Candidate from then on', () => {
    const { stage: _s, history: _h, ...status } = asks.status ?? {};
    const { stage: _a, ...spec } = asks.spec;
    const got = plan(world({ ...asks, spec, status }, { services: [service({ stable: stableOne })] }));
    expect(got).toMatchObject({ actions: [], status: { stage: 'Candidate', everServed: true, servedBy: ['api'] } });
    expect([truth(got, 'Ready'), truth(got, 'StageReached')]).toEqual(['True Ready', 'True Reached']);
  });

  test('that a version was stable once is never forgotten', () => {
    const first = world(asks, { services: [service({ stable: stableOne })] });
    expect(plan(first).status.everServed).toBe(true);
    expect(plan(world(written(first, plan(first)))).status.everServed).toBe(true);
    expect(plan(world(asks)).status.everServed).toBeUndefined();
  });
});

describe('verifying again', () => {
  const asked = (value: string, answered?: string): Stored<ModelVersion> => {
    const mv = registered('1.0.0', 'Production', { status: answered === undefined ? {} : { verifiedFor: answered } });
    return { ...mv, metadata: { ...mv.metadata, annotations: { [ANNOTATIONS.verify]: value } } };
  };
  const job = (value: string) => ({
    metadata: { ...childJob('verify').metadata, annotations: { [ANNOTATIONS.verify]: value } },
  });

  test('starts when a person asks, and takes nothing from what serves meanwhile', () => {
    const got = plan(world(asked('now')));
    expect(got.actions).toEqual([{ kind: 'StartVerification' }]);
    expect([truth(got, 'Verified'), truth(got, 'Ready')]).toEqual(['True Told', 'True Ready']);
    expect(truth(got, 'Reconciling')).toBe('True Verifying');
    expect(got.status).toMatchObject({ stage: 'Production', current: true });
  });

  test('is answered once, with the value that asked', () => {
    const got = plan(world(asked('now'), { verification: ended('1.0.0', job('now')) }));
    expect(got.status).toMatchObject({ verifiedFor: 'now', reports: { uri: 's3://models/flights/x.reports' } });
    expect(truth(got, 'Verified')).toBe('True DigestVerified');
    expect(got.observed.find(({ type }) => type === 'Verified')?.message).toContain('The key sha256:cafe signed them.');
    expect(plan(world(asked('now', 'now'))).actions).toEqual([]);
  });

  test('says why there are no reports where none could be left', () => {
    const message = report('1.0.0', undefined, 'The store takes no reports.');
    const pods = [pod({ container: 'verify', phase: 'Succeeded', exitCode: 0, message })];
    const first = registered('1.0.0', 'Candidate', { status: { conditions: [] } });
    const got = plan(world(first, { verification: { job: childJob('verify', 'Complete'), pods } }));
    expect(got.observed.find(({ type }) => type === 'Verified')?.message).toContain('The store takes no reports.');
  });

  test('does not take the result of an earlier Job for the answer', () => {
    const got = plan(world(asked('again', 'now'), { verification: ended('1.0.0', job('now')) }));
    expect(got.actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
    expect(got.status.verifiedFor).toBe('now');
  });

  test('mlflow#3175: files that were overwritten since are found out, and serve no new rollout', () => {
    const got = plan(world(asked('now'), { verification: ended('2.0.0', job('now')) }));
    expect([truth(got, 'Verified'), truth(got, 'Ready')]).toEqual(['False DigestMismatch', 'False DigestMismatch']);
    expect(got.status).toMatchObject({ verifiedFor: 'now', stage: 'Production' });
  });

  test('a rival that can not be had now is tried again: the version is not to blame', () => {
    const message = encodeReport({
      schema: 'slipway.dev/termination/v1',
      reason: 'RivalUnavailable',
      message: 'no files',
    });
    const pods = [pod({ container: 'verify', phase: 'Failed', exitCode: 1, message: message ?? '' })];
    const first = registered('1.0.0', 'Candidate', { status: { conditions: [] } });
    const got = plan(world(first, { now: after(10), verification: { job: childJob('verify', 'Failed'), pods } }));
    expect([truth(got, 'Verified'), truth(got, 'Stalled')]).toEqual([
      'Unknown RivalUnavailable',
      'False RivalUnavailable',
    ]);
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 50_000 });
  });

  test('the version that was in Production when it began is named with the verdict', () => {
    const rival = { as: ['Production'], name: 'flights-0.9.0', version: '0.9.0', digest: 'd', uri: 'pvc://m/x' };
    const env = [{ name: ENV.rivals, value: JSON.stringify([rival]) }];
    const spec = { template: { spec: { containers: [{ name: 'verify', env }] } } };
    const first = registered('1.0.0', 'Candidate', { status: { conditions: [] } });
    const got = plan(world(first, { verification: ended('1.0.0', { spec }) }));
    const { message } = got.observed.find(({ type }) => type === 'GatesPassed') ?? {};
    expect(message).toBe('The version declares no gates. Compared with 0.9.0 (Production).');
  });
});

describe('retention', () => {
  const old = registered('1.0.0', 'Archived', { spec: { retention: { newest: 1 } } });
  const siblings = [registered('1.1.0', 'Candidate')];
  const at = (mv: Stored<ModelVersion>, seconds: number, changes: Partial<World> = {}): World =>
    world(mv, { siblings, others: siblings, now: after(seconds), ...changes });
  const next = (w: World) => written(w, plan(w));
  const announced = next(at(old, 0));
  const removing = next(at(announced, NOTICE_MS / 1000));
  const done = { job: childJob('remove', 'Complete'), pods: [] };

  test('says a minute before that files go, and that the version may not serve any more', () => {
    const got = plan(at(old, 0));
    expect(got.actions).toEqual([]);
    expect([truth(got, 'FilesKept'), truth(got, 'Ready')]).toEqual(['False Leaving', 'False Leaving']);
    expect(got.next).toMatchObject({ kind: 'again', afterMs: NOTICE_MS });
    expect(plan(at(announced, 59)).actions).toEqual([]);
  });

  test('takes back what it said when a service wants the version in that minute', () => {
    const got = plan(at(announced, 70, { services: [service({}, { version: '1.0.0' })] }));
    expect(got.actions).toEqual([]);
    expect([truth(got, 'FilesKept'), truth(got, 'Ready')]).toEqual(['True Kept', 'True Archived']);
  });

  test('deletes them then, once, and keeps everything that was said of them', () => {
    expect(plan(at(announced, 60)).actions).toEqual([{ kind: 'StartRemoval' }]);
    const got = plan(at(removing, 90, { removal: done }));
    expect(got.status).toMatchObject({ deletedAt: '2026-01-01T00:01:30Z', stage: 'Archived' });
    expect(got.status.history?.at(-1)).toMatchObject({ from: 'Archived', to: 'Archived', reason: 'FilesDeleted' });
    expect([truth(got, 'Ready'), truth(got, 'Verified')]).toEqual(['False FilesDeleted', 'True Told']);
    const gone = next(at(removing, 90, { removal: done }));
    const later = plan(at(gone, 100, { removal: done }));
    expect(later.actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
    expect(later.status.history).toEqual(gone.status?.history);
    expect(plan(at(gone, 200))).toMatchObject({ actions: [], next: { kind: 'settled' } });
  });

  test('goes on once it began: half an artifact is none', () => {
    const wanted = { services: [service({}, { version: '1.0.0' })] };
    expect(plan(at(removing, 70, wanted)).actions).toEqual([{ kind: 'StartRemoval' }]);
    const running = plan(at(removing, 70, { ...wanted, removal: { job: childJob('remove'), pods: [] } }));
    expect(running.actions).toEqual([]);
    expect(truth(running, 'Ready')).toBe('False Removing');
  });

  test('tells why files could not be deleted, and tries again', () => {
    const pods = [pod({ container: 'remove', phase: 'Failed', exitCode: 1, message: 'AccessDenied' })];
    const removal = { job: childJob('remove', 'Failed'), pods };
    const got = plan(at(removing, 90, { removal }));
    expect(truth(got, 'FilesKept')).toBe('False RemovalFailed');
    expect(got.observed.find(({ type }) => type === 'FilesKept')?.message).toContain('AccessDenied');
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 210_000 });
    expect(plan(at(removing, 400, { removal })).actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
  });

  test('of files that are gone nothing is verified again', () => {
    const gone = next(at(removing, 90, { removal: done }));
    const asked = { ...gone, metadata: { ...gone.metadata, annotations: { [ANNOTATIONS.verify]: 'now' } } };
    expect(plan(at(asked, 100)).actions).toEqual([]);
  });

  test('is not told of where nobody asks for it', () => {
    expect(truth(plan(world(registered('1.0.0', 'Archived'))), 'FilesKept')).toBe('undefined undefined');
  });
});
