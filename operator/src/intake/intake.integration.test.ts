import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runControllers, type UnderTest } from '../../test/controllersUnderTest.ts';
import { type InferenceService, inferenceServices, type TrainingJob, trainingJobs } from '../api/kinds.ts';
import { retrainController } from '../controllers/retrain/controller.ts';
import { type Connection, connect } from '../kube/connect.ts';
import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';
import type { Listening } from '../telemetry/listening.ts';
import { AUDIENCE } from './callers.ts';
import { serveIntake } from './server.ts';

const RBAC = 'rbac.authorization.k8s.io';
const roles = resource<KubeObject>(RBAC, 'v1', 'Role', 'roles');
const bindings = resource<KubeObject>(RBAC, 'v1', 'RoleBinding', 'rolebindings');
const serviceAccounts = resource<KubeObject>('', 'v1', 'ServiceAccount', 'serviceaccounts');

let under: UnderTest;
let connection: Connection;
let intake: Listening;
let ingest: string;

const meta = (name: string) => ({ name, namespace: under.namespace });

/** A token of a service account as kubectl create token makes it. */
async function tokenOf(name: string, ...audiences: string[]): Promise<string> {
  const answer = await connection.transport.call({
    verb: 'create',
    method: 'POST',
    path: `/api/v1/namespaces/${under.namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } },
  });
  return (answer as { status: { token: string } }).status.token;
}

async function allow(name: string, service: string): Promise<void> {
  const rules = [
    { apiGroups: ['slipway.dev'], resources: ['inferenceservices'], verbs: ['retrain'], resourceNames: [service] },
  ];
  const role = { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: meta(name), rules };
  const subjects = [{ kind: 'ServiceAccount', ...meta(name) }];
  const roleRef = { apiGroup: RBAC, kind: 'Role', name };
  await connection.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(name) });
  await connection.client.create(roles, role);
  await connection.client.create(bindings, {
    ...role,
    kind: 'RoleBinding',
    subjects,
    roleRef,
    rules: undefined,
  } as never);
}

const service = (name: string, retrain?: object) =>
  under.client.create(inferenceServices, {
    apiVersion: API_VERSION,
    kind: 'InferenceService',
    metadata: meta(name),
    spec: { model: { name: 'flights', follow: 'Production' }, ...(retrain && { retrain }) },
  } as unknown as InferenceService);

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), () => [retrainController()]);
  connection = await connect({ kubeconfig: inject('kubeconfig') });
  const silent = { info: () => undefined, warn: () => undefined };
  intake = await serveIntake({ port: 0, client: connection.client, log: silent, namespaces: [under.namespace] });
  await under.client.create(trainingJobs, {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: meta('pattern'),
    spec: { model: { name: 'flights' }, image: 'example.com/t:1', publish: { store: 'pvc://m' }, suspend: true },
  } as unknown as TrainingJob);
  await service('flights', { from: 'pattern', cooldown: '24h' });
  await service('untrained');
  await allow('ingest', 'flights');
  ingest = await tokenOf('ingest', AUDIENCE);
});
afterAll(async () => {
  await intake.close();
  await connection.close();
  await under.stop();
});

interface Sending {
  readonly id?: string;
  readonly to?: string;
  readonly token?: string;
  readonly body?: string;
  readonly method?: string;
  readonly namespace?: string;
}

async function send({ id = '1', to = 'flights', token = ingest, body = '', method = 'POST', namespace }: Sending = {}) {
  const path = `/namespaces/${namespace ?? under.namespace}/inferenceservices/${to}/retrain`;
  const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '//warehouse', 'ce-type': 'partition.ready' };
  const answer = await fetch(`http://127.0.0.1:${intake.port}${path}`, {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
    ...(method === 'GET' ? {} : { body }),
  });
  return { status: answer.status, text: await answer.text() };
}

test('an event retrains once, says so in the provenance, and the cooldown holds the next one', async () => {
  expect(await send()).toMatchObject({ status: 202 });
  const job = await under.until(trainingJobs, 'flights-r1');
  expect(job.metadata.annotations?.[ANNOTATIONS.trigger]).toBe(
    `CloudEvent partition.ready from //warehouse (id 1), sent by system:serviceaccount:${under.namespace}:ingest`,
  );
  const { status } = await under.until(inferenceServices, 'flights', ({ status: s }) =>
    expect(s?.retraining?.lastEvent).toBeDefined(),
  );
  expect(status?.retraining).toMatchObject({ number: 1, trigger: 'CloudEvent' });
  expect(await send()).toMatchObject({ status: 200, text: expect.stringContaining('has asked before') });

  await connection.client.delete(trainingJobs, meta('flights-r1'));
  expect(await send({ id: '2' })).toMatchObject({ status: 202 });
  const held = await under.until(inferenceServices, 'flights', ({ status: s }) =>
    expect(s?.conditions?.find(({ type }) => type === 'Retraining')?.reason).toBe('Cooldown'),
  );
  expect(held.status?.conditions?.find(({ type }) => type === 'Retraining')?.message).toContain('(id 2)');
});

test('events at the same time are all remembered', async () => {
  const ids = [...'abcdefghijkl'];
  const sent = await Promise.all(ids.map((id) => send({ id })));
  expect(sent.filter(({ status }) => status !== 202)).toEqual([]);
  for (const id of ids) expect(await send({ id })).toMatchObject({ status: 200 });
});

test('a caller without a token, with one of another audience, or with one that is made up is not known', async () => {
  const ofTheApi = await tokenOf('ingest');
  for (const token of ['', 'made-up', ofTheApi]) {
    expect(await send({ id: 'x', token })).toMatchObject({
      status: 401,
      text: expect.stringContaining('--audience=slipway.dev'),
    });
  }
});

test('a caller may retrain what its role names, and learns nothing of the rest', async () => {
  const refused = {
    status: 403,
    text: expect.stringMatching(/ingest may not retrain InferenceService .*slipway-retrainer/),
  };
  expect(await send({ to: 'untrained' })).toMatchObject(refused);
  expect(await send({ to: 'nowhere' })).toMatchObject(refused);
  expect(await send({ namespace: 'elsewhere' })).toMatchObject({ status: 404 });
});

test('what can not be retrained, or is too much, is refused with what to do', async () => {
  await allow('other', 'untrained');
  const token = await tokenOf('other', AUDIENCE);
  expect(await send({ to: 'untrained', token })).toMatchObject({
    status: 422,
    text: expect.stringContaining('spec.retrain'),
  });
  expect(await send({ id: 'y', body: 'x'.repeat(70_000) })).toMatchObject({
    status: 413,
    text: expect.stringContaining('65536 bytes'),
  });
  expect(await send({ method: 'GET' })).toMatchObject({ status: 405 });
  const { status } = await fetch(`http://127.0.0.1:${intake.port}/`);
  expect(status).toBe(404);
});
