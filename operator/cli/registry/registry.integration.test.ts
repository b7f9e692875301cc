import { randomUUID } from 'node:crypto';
import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type ModelVersion, modelVersions } from '../../src/api/kinds.ts';
import { type Connection, connect } from '../../src/kube/connect.ts';
import { resource } from '../../src/kube/resource.ts';
import type { KubeObject } from '../../src/kube/wire.ts';
import { parseCommand } from '../arguments.ts';
import { type ConnectedCommand, run } from '../commands.ts';

const namespaces = resource<KubeObject>('', 'v1', 'Namespace', 'namespaces', false);
const namespace = `cli-${randomUUID().slice(0, 8)}`;
const key = { namespace, name: 'flights-1.0.0' };
let connection: Connection;

beforeAll(async () => {
  connection = await connect({ kubeconfig: inject('kubeconfig') });
  const { client } = connection;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await client.create(modelVersions, {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: key,
    spec: {
      model: 'flights',
      version: '1.0.0',
      artifact: { uri: 's3://models/flights/x', digest: `sha256:${'a'.repeat(64)}`, format: 'ONNX' },
      provenance: { trainingJob: 'nightly' },
      approval: 'Required',
    },
  });
});
afterAll(() => connection.close());

let now = Date.parse('2026-03-01T12:00:00Z');

/** Runs a command as the program does; `meanwhile` is what the operator does while it waits. */
async function type(words: string, meanwhile: () => Promise<void> = async () => undefined) {
  const said: string[] = [];
  now += 60_000;
  const status = await run(parseCommand(words.split(' ')) as ConnectedCommand, {
    client: connection.client,
    namespace,
    print: (lines) => said.push(...lines),
    complain: (sentence) => said.push(sentence),
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
      await meanwhile();
    },
    signal: new AbortController().signal,
  });
  return { status, said: said.join('\n') };
}
const stored = async (): Promise<ModelVersion> => {
  const found = await connection.client.get(modelVersions, key);
  if (found === undefined) throw new Error('it is gone');
  return found;
};
const condition = (kind: string, status: 'True' | 'False') => ({
  type: kind,
  status,
  reason: 'Told',
  message: `${kind} is ${status}.`,
  observedGeneration: 1,
  lastTransitionTime: '2026-03-01T12:00:00Z',
});
/** The operator's answer to the last question asked. */
async function answer(verdict: 'True' | 'False'): Promise<void> {
  const { metadata } = await stored();
  const status = {
    verifiedFor: metadata.annotations?.[ANNOTATIONS.verify],
    conditions: [condition('Verified', 'True'), condition('GatesPassed', verdict)],
  };
  const object = { apiVersion: API_VERSION, kind: 'ModelVersion', metadata: key, status };
  await connection.client.applyStatus(modelVersions, object as unknown as ModelVersion, { fieldManager: 'test' });
}

test('a version is asked into Production and approved in the name of whoever is logged in', async () => {
  const asked = await type('promote mv/flights-1.0.0 --stage=Production');
  expect(asked.said).toContain('kubectl slipway approve mv/flights-1.0.0 --stage=Production');
  const { said } = await type('approve mv/flights-1.0.0 --comment=well');
  const { spec } = await stored();
  expect(spec.stage).toBe('Production');
  expect(spec.approvals).toMatchObject([{ stage: 'Production', digest: spec.artifact.digest, comment: 'well' }]);
  expect(said).toBe(`Approved mv/flights-1.0.0 for Production as ${spec.approvals?.[0]?.by}.`);
  expect(await type('approve mv/flights-1.0.0')).toMatchObject({ status: 1, said: expect.stringContaining('already') });
});

test('a verification is asked for, waited for and answered by its exit status', async () => {
  expect(await type('verify mv/flights-1.0.0', () => answer('True'))).toMatchObject({ status: 0 });
  const failed = await type('verify mv/flights-1.0.0 --timeout=30s', () => answer('False'));
  expect(failed).toMatchObject({ status: 1, said: expect.stringContaining('GatesPassed is False.') });
  const late = await type('verify mv/flights-1.0.0 --timeout=3s', async () => {
    await connection.client.merge(modelVersions, key, { metadata: { annotations: { [ANNOTATIONS.verify]: 'other' } } });
  });
  expect(late).toMatchObject({ status: 2, said: expect.stringContaining('was not verified in time') });
});

test('card, lineage and history are read from the object, and archive asks for its stage', async () => {
  expect((await type('card mv/flights-1.0.0 --html')).said).toContain('<!doctype html>');
  expect((await type('lineage mv/flights-1.0.0')).said).toContain('tj/nightly, no longer there');
  expect((await type('history mv/flights-1.0.0')).said).toContain('no history yet');
  expect(await type('archive mv/flights-1.0.0')).toMatchObject({ status: 0 });
  expect((await stored()).spec.stage).toBe('Archived');
});
