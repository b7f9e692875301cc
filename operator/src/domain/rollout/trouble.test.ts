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
const document = JSON.stringify({
  schema: 'slipway.dev/termination/v1',
  reason: 'DigestMismatch',
  message: 'other files',
});

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
  const trouble = troubleOf([given], 'server');
  if (want === undefined) expect(trouble).toBeUndefined();
  else expect(trouble).toMatchObject(want);
});
