import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type ConfigMap, configMaps } from '../src/api/builtin.ts';
import { systemClock } from '../src/kube/clock.ts';
import { endpointOf } from '../src/kube/config.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import type { EventNote } from '../src/kube/contracts.ts';
import { type Event, events, Recorder } from '../src/kube/events.ts';
import { silentLog, silentMeter } from '../src/kube/observe.ts';
import { createRestClient } from '../src/kube/restClient.ts';
import type { KubeObject } from '../src/kube/wire.ts';
import { surroundings } from './surroundings.ts';

const note: EventNote = { type: 'Normal', reason: 'Promoted', action: 'Promote', message: '1.4.0 is live' };

let direct: Connection;
let about: ConfigMap;
let now: Date;
let lost: number;

beforeAll(async () => {
  direct = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => direct.close());
beforeEach(async () => {
  const metadata = { namespace: 'default', name: `about-${process.hrtime.bigint()}` };
  about = await direct.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  now = new Date('2026-01-01T00:00:00Z');
  lost = 0;
});

const recorder = (client = direct.client): Recorder =>
  new Recorder({
    client,
    clock: { ...systemClock, now: () => now },
    log: silentLog,
    meter: {
      ...silentMeter,
      eventLost: () => {
        lost += 1;
      },
    },
    controller: 'slipway.dev/test',
    instance: 'pod-1',
  });
const told = async (name = about.metadata.name): Promise<Event[]> =>
  (await direct.client.list(events, 'default')).filter(({ regarding }) => regarding.name === name);

test('an Event says who did what to which object, and why', async () => {
  const recording = recorder();
  recording.emit(about, note);
  await recording.flush();
  const { apiVersion, kind, metadata } = about;
  expect(await told()).toMatchObject([
    {
      ...{ type: 'Normal', reason: 'Promoted', action: 'Promote', note: '1.4.0 is live' },
      regarding: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
      ...{ reportingController: 'slipway.dev/test', reportingInstance: 'pod-1' },
      eventTime: '2026-01-01T00:00:00.000000Z',
    },
  ]);
});

test('repeats within six minutes raise a count, later ones begin anew', async () => {
  const recording = recorder();
  recording.emit(about, note);
  await recording.flush();
  for (let i = 0; i < 50; i++) {
    now = new Date(now.getTime() + 60_000);
    recording.emit(about, note);
  }
  await recording.flush();
  expect((await told()).map(({ series }) => series?.count)).toEqual([51]);
  now = new Date(now.getTime() + 7 * 60_000);
  recording.emit(about, note);
  await recording.flush();
  expect((await told()).map(({ series }) => series?.count).sort()).toEqual([51, undefined]);
  expect(lost).toBe(0);
});

test('another message is another Event', async () => {
  const recording = recorder();
  recording.emit(about, { ...note, message: 'weight is 5' });
  recording.emit(about, { ...note, message: 'weight is 25' });
  await recording.flush();
  expect((await told()).map((event) => event.note).sort()).toEqual(['weight is 25', 'weight is 5']);
});

test('an Event that the server deleted is written again with its count', async () => {
  const recording = recorder();
  recording.emit(about, note);
  await recording.flush();
  for (const { metadata } of await told())
    await direct.client.delete(events, { namespace: 'default', name: metadata.name });
  recording.emit(about, note);
  await recording.flush();
  expect((await told()).map(({ series }) => series?.count)).toEqual([2]);
});

test('an object without a namespace gets its Events in default, and long text is cut to what the server takes', async () => {
  const recording = recorder();
  const name = `n-${'x'.repeat(250)}`;
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  recording.emit(node, { ...note, message: 'm'.repeat(5_000) });
  await recording.flush();
  expect((await told(name)).map((event) => event.note.length)).toEqual([1024]);
  expect(lost).toBe(0);
});

test('an unreachable server costs the Event, never the pass', async () => {
  const closed = surroundings({ ...endpointOf(inject('kubeconfig')), server: new URL('https://127.0.0.1:1') });
  const recording = recorder(createRestClient(closed.transport));
  expect(() => recording.emit(about, note)).not.toThrow();
  await recording.flush();
  expect(lost).toBe(1);
  await closed.transport.close();
});
