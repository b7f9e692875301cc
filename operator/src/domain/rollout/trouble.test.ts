import { expect, test } from 'vitest';
import type { Pod } from '../../api/builtin.ts';
import { troubleOf } from './trouble.ts';

type Status = NonNullable<Pod['status']>;
type ContainerState = Partial<NonNullable<Status['containerStatuses']>[number]>;

const pod = (state: ContainerState, status: Partial<Status> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  status: {
    ...status,
    containerStatuses: [{ name: 'server', image: 'i', imageID: '', ready: false, restartCount: 0, ...state }],
  },
});
const died = (exitCode: number, more: { reason?: string; message?: string } = {}) => ({
  terminated: { exitCode, ...more },
});
const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } };
const naming = (reason: string, message: string): string =>
  JSON.stringify({ schema: 'slipway.dev/termination/v1', reason, message });
const document = naming('DigestMismatch', 'other files');

/** A pod that brings its files from a store before its server starts. */
const fetching = (state: ContainerState): Pod => {
  const bare = pod({ state: { waiting: { reason: 'PodInitializing' } } });
  const fetch = { name: 'fetch', image: 'i', imageID: '', ready: false, restartCount: 0, ...state };
  return { ...bare, status: { ...bare.status, initContainerStatuses: [fetch] } };
};
const refused = died(1, { message: naming('CredentialsRefused', 'The server refuses.') });

test.each<[string, Pod, object | undefined]>([
  ['a pod on its way has none', pod({ state: { running: {} } }), undefined],
  [
    'a server that told its cause is quoted',
    pod({ state: backOff, lastState: died(1, { message: document }), restartCount: 2 }),
    { reason: 'DigestMismatch', message: 'Pod p exited with code 1: other files', fatal: true },
  ],
  [
    'one death is not fatal yet',
    pod({ state: backOff, lastState: died(1), restartCount: 1 }),
    { reason: 'CrashLoopBackOff', fatal: false },
  ],
  [
    'memory is named',
    pod({ state: backOff, lastState: died(137, { reason: 'OOMKilled' }), restartCount: 3 }),
    { reason: 'OOMKilled', fatal: true },
  ],
  [
    'a server that came back is no trouble',
    pod({ state: { running: {} }, lastState: died(1), restartCount: 5 }),
    undefined,
  ],
  [
    'a store that refuses the pod is named, and is not held against the version however often it does',
    fetching({ state: backOff, lastState: refused, restartCount: 9 }),
    { reason: 'CredentialsRefused', message: 'Pod p exited with code 1: The server refuses.', fatal: false },
  ],
  [
    'files that are others than asked for are the fault of the version, also as they are fetched',
    fetching({ state: backOff, lastState: died(1, { message: document }), restartCount: 2 }),
    { reason: 'DigestMismatch', fatal: true },
  ],
  ['files that came are no trouble', fetching({ state: died(0), restartCount: 3 }), undefined],
  [
    'an image that can not be pulled is named, and may still come',
    pod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }),
    { reason: 'ImagePullFailed', fatal: false },
  ],
  [
    'the scheduler is quoted',
    pod({}, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }] }),
    { reason: 'Unschedulable', message: expect.stringContaining('0/3 nodes'), fatal: false },
  ],
  [
    'an accelerator that no node has to spare is named with how many, and may still come',
    {
      ...pod(
        {},
        {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: '0/3 nodes: 3 Insufficient nvidia.com/gpu.',
            },
          ],
        },
      ),
      spec: { containers: [{ name: 'server', image: 'i', resources: { limits: { 'nvidia.com/gpu': '1' } } }] },
    } as Pod,
    { reason: 'InsufficientAccelerator', message: expect.stringContaining('1 more nvidia.com/gpu'), fatal: false },
  ],
])('%s', (_sentence, given, want) => {
  const trouble = troubleOf([given], ['fetch', 'server']);
  if (want === undefined) expect(trouble).toBeUndefined();
  else expect(trouble).toMatchObject(want);
});
