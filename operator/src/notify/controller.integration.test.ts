import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { runControllers, type UnderTest } from '../../test/controllersUnderTest.ts';
import { type InferenceService, inferenceServices, type ModelVersion, modelVersions } from '../api/kinds.ts';
import { modelVersionController } from '../controllers/modelversion/controller.ts';
import { events } from '../kube/events.ts';
import { notifyController, notifyVersionsController } from './controller.ts';
import { postWithin } from './sink.ts';
import { DIGEST, type Entry, historyOf } from './testing/service.ts';
import { LoopbackSink } from './testing/sink.ts';

const WITHIN = { timeout: 20_000, interval: 20 };
let sink: LoopbackSink;
let under: UnderTest;

beforeAll(async () => {
  sink = await LoopbackSink.open();
  const around = { deliver: postWithin(2000), backoff: { baseMs: 20, maxMs: 200 } };
  under = await runControllers(inject('kubeconfig'), (config) => [
    notifyController(config, around),
    notifyVersionsController({ cloudeventsSink: sink.url }, around),
    modelVersionController(config),
  ]);
});
afterAll(async () => {
  await under.stop();
  sink.close();
});

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

async function create(name: string): Promise<void> {
  const { namespace } = under;
  await under.client.create(inferenceServices, {
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: { name, namespace },
    spec: { model: { name: 'flights', version: '1.1.0' }, notify: { sink: sink.url } },
  } as unknown as InferenceService);
}

/** Decides as the rollout's controller does: its own part of the status, under its own name. */
async function decide(name: string, ...entries: readonly Entry[]): Promise<void> {
  const { client, namespace } = under;
  const { status } = await under.until(inferenceServices, name);
  const history = status?.history ?? [];
  const next = [
    ...history,
    ...historyOf(
      entries.map((entry) => ({ at: now(), ...entry })),
      history.at(-1)?.hash,
    ),
  ];
  const object = {
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: { name, namespace },
    status: { rolloutID: 'r-1', history: next },
  } as unknown as InferenceService;
  await client.applyStatus(inferenceServices, object, { fieldManager: 'slipway-inferenceservice' });
}

const untilTold = (name: string, ...types: readonly string[]) =>
  vi.waitFor(() => {
    const told = sink.taken.filter(({ subject }) => subject === name);
    expect(told.map(({ type }) => type)).toEqual(types.map((type) => `dev.slipway.${type}`));
    return told;
  }, WITHIN);

test('a sink that fails twice and takes the third is told in order, and the mark is a part of the status of its own', async () => {
  await create('twice');
  sink.answers.push({ status: 500 }, { status: 500 });
  await decide('twice', { reason: 'RolloutStarted', digest: DIGEST });
  await decide('twice', { reason: 'WeightChanged', to: 'Shifting 5%' }, { reason: 'Promoted', digest: DIGEST });
  const [first] = await untilTold('twice', 'rolloutStarted', 'promoted');
  expect(first?.data).toMatchObject({ service: 'twice', namespace: under.namespace, rolloutID: 'r-1', digest: DIGEST });
  const { status } = await under.until(inferenceServices, 'twice', ({ status: s }) =>
    expect(s?.notified).toBe(s?.history?.at(-1)?.hash),
  );
  expect(status?.history).toHaveLength(3);
  // The rollout writes on, and does not take the mark away.
  await decide('twice', { reason: 'RolledBack', digest: DIGEST });
  await untilTold('twice', 'rolloutStarted', 'promoted', 'rolledBack');
});

test('a sink that is down over a restart of the operator gets everything from the next one, once', async () => {
  await create('down');
  sink.down = true;
  await decide('down', { reason: 'RolloutStarted' });
  await vi.waitFor(async () => {
    const all = await under.client.list(events, under.namespace);
    expect(all.map(({ reason, regarding }) => `${regarding.name} ${reason}`)).toContain('down NotificationDelayed');
  }, WITHIN);
  await under.restart();
  await decide('down', { reason: 'AwaitingApproval', to: 'AwaitingApproval' });
  await under.restart();
  await decide('down', { reason: 'RolledBack' });
  sink.down = false;
  const told = await untilTold('down', 'rolloutStarted', 'awaitingApproval', 'rolledBack');
  const { status } = await under.until(inferenceServices, 'down', ({ status: s }) =>
    expect(s?.notified).toBe(s?.history?.at(-1)?.hash),
  );
  expect(told.map(({ id }) => id)).toEqual(status?.history?.map(({ hash }) => hash));
});

test('an event that the sink refuses is given up with an Event that says so', async () => {
  await create('refused');
  sink.answers.push({ status: 400 });
  await decide('refused', { reason: 'RolloutStarted' });
  await decide('refused', { reason: 'Promoted' });
  await untilTold('refused', 'promoted');
  await vi.waitFor(async () => {
    const all = await under.client.list(events, under.namespace);
    const found = all.find(({ reason, regarding }) => regarding.name === 'refused' && reason === 'NotificationRefused');
    expect(found?.note).toContain('which is given up: it answered 400.');
  }, WITHIN);
});

test('a version that is archived is told of to the operator’s sink, and neither writer takes the other’s part of the status away', async () => {
  const version = (stage: string) => ({ spec: { stage } });
  const artifact = { uri: 'pvc://no-such-claim/flights', digest: DIGEST };
  const key = { namespace: under.namespace, name: 'flights-9.0.0' };
  await under.client.create(modelVersions, {
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'ModelVersion',
    metadata: key,
    spec: { model: 'flights', version: '9.0.0', artifact },
  } as unknown as ModelVersion);
  await under.until(modelVersions, key.name, ({ status }) => expect(status?.stage).toBe('Candidate'));
  await under.client.merge(modelVersions, key, version('Archived'));
  const [archived] = await untilTold(key.name, 'versionArchived');
  expect(archived?.data).toMatchObject({ modelVersion: key.name, model: 'flights', from: 'Candidate', to: 'Archived' });
  await under.until(modelVersions, key.name, ({ status }) =>
    expect(status?.notified).toBe(status?.history?.at(-1)?.hash),
  );
  await under.client.merge(modelVersions, key, version('Candidate'));
  const { status } = await under.until(modelVersions, key.name, ({ status: s }) => {
    expect(s?.stage).toBe('Candidate');
    expect(s?.notified).toBe(s?.history?.at(-1)?.hash);
  });
  expect(status?.history?.map(({ to }) => to)).toEqual(['Candidate', 'Archived', 'Candidate']);
});
