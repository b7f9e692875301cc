import { TERMINATION_SCHEMA } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { AT, after, childJob, pod, trainingJob } from '../../../test/trainingBuilders.ts';
import { running, world as worldOf } from '../../../test/trainingWorlds.ts';
import type { Job } from '../../api/builtin.ts';
import type { Stored } from '../../kube/wire.ts';
import { plan } from './plan.ts';

const FAILED = childJob('nightly-publish', 'Failed', after(0).toISOString());

/** The publish Job failed at second 0, and its pod left these words. */
const world = (seconds: number, reason?: string, job: Stored<Job> = FAILED) => {
  const message = JSON.stringify({ schema: TERMINATION_SCHEMA, reason, message: 'The server refuses it.' });
  const failed = pod({ container: 'publish', phase: 'Failed', exitCode: 1, message });
  return worldOf(
    { ...running, phase: 'Publishing', trainedAt: AT },
    { now: after(seconds), publish: { job, pods: reason === undefined ? [] : [failed] } },
    { failure: { ...trainingJob().spec.failure, deadline: '1m' } },
  );
};

const readyOf = (seconds: number, reason?: string) =>
  plan(world(seconds, reason)).observed.find(({ type }) => type === 'Ready');

test.each(['StoreUnavailable', 'StoreFull', 'CredentialsRefused'])(
  'what was trained is not lost to a store that says %s: it waits, told by that name, and is published again',
  (reason) => {
    const resting = plan(world(20, reason));
    expect(resting.status.phase).toBe('Publishing');
    expect(resting.actions).toEqual([]);
    expect(resting.next).toMatchObject({ kind: 'again', afterMs: 40_000 });
    expect(resting.observed).toContainEqual(expect.objectContaining({ type: 'Stalled', status: 'False', reason }));
    expect(readyOf(20, reason)?.message).toBe(
      `Publishing failed: ${reason}: The server refuses it. The trained model waits in the workspace; it is tried again every 60 s.`,
    );
    expect(resting.events).toMatchObject([{ type: 'Warning', reason }]);
    const rested = plan(world(61, reason));
    expect(rested.actions).toMatchObject([{ kind: 'DeleteJob' }]);
    expect(rested.status.phase).toBe('Publishing');
  },
);

test('a publish Job whose pods are gone says nothing of the model: it is made again', () => {
  expect(plan(world(61)).actions).toMatchObject([{ kind: 'DeleteJob' }]);
  expect(readyOf(61)).toMatchObject({ reason: 'PublishFailed' });
});

test('a Job that is on its way out is not deleted twice', () => {
  const leaving = { ...FAILED, metadata: { ...FAILED.metadata, deletionTimestamp: AT } };
  expect(plan(world(61, 'StoreFull', leaving)).actions).toEqual([]);
});

test('a fault of the model itself is final', () => {
  const got = plan(world(20, 'GoldenMismatch'));
  expect(got.status.phase).toBe('Failed');
  expect(got.observed).toContainEqual(
    expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'GoldenMismatch' }),
  );
});
