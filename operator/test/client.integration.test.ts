import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type ConfigMap, configMaps, type Deployment, deployments } from '../src/api/builtin.ts';
import type { Client } from '../src/kube/client.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import { isAlreadyExists, isConflict, isInvalid } from '../src/kube/errors.ts';
import { keyOf } from '../src/kube/resource.ts';

const by = { fieldManager: 'slipway-test' };
let names = 0;

describe.each([{ http2: true }, { http2: false }])('with http2 $http2', ({ http2 }) => {
  let connection: Connection;
  let client: Client;
  let configMap: ConfigMap;

  beforeAll(async () => {
    connection = await connect({ kubeconfig: inject('kubeconfig'), http2 });
    client = connection.client;
  });
  afterAll(() => connection.close());
  beforeEach(() => {
    const metadata = { namespace: 'default', name: `client-${http2}-${++names}` };
    configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1', b: '2' } };
  });

  test('apply creates, changes, and removes what is no longer asked for', async () => {
    const created = await client.apply(configMaps, configMap, by);
    expect(created.metadata).not.toHaveProperty('managedFields');
    const changed = await client.apply(configMaps, { ...configMap, data: { a: '3' } }, by);
    expect(changed.data).toEqual({ a: '3' });
    expect(await client.get(configMaps, keyOf(configMap))).toEqual(changed);
  });

  test('apply takes a field over from another manager: an object of ours is ours', async () => {
    await client.apply(configMaps, configMap, { fieldManager: 'someone' });
    const taken = await client.apply(configMaps, { ...configMap, data: { a: 'ours' } }, by);
    expect(taken.data).toEqual({ a: 'ours', b: '2' });
  });

  test('an unchanged apply does not change the version', async () => {
    const first = await client.apply(configMaps, configMap, by);
    const second = await client.apply(configMaps, configMap, by);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('a dry run defaults and checks, and stores nothing', async () => {
    await client.create(configMaps, configMap, { dryRun: true });
    await client.apply(configMaps, configMap, { ...by, dryRun: true });
    expect(await client.get(configMaps, keyOf(configMap))).toBeUndefined();
  });

  test('a field the server does not know is refused, not dropped', async () => {
    const misspelt = { ...configMap, dta: {} };
    const error = await client.apply(configMaps, misspelt, by).catch((e: unknown) => e);
    expect([isInvalid(error), String(error)]).toEqual([true, expect.stringContaining('.dta')]);
    expect(isInvalid(await client.create(configMaps, misspelt).catch((e: unknown) => e))).toBe(true);
  });

  test('creating what exists, and patching an old version, are told apart', async () => {
    const { metadata } = await client.create(configMaps, configMap);
    expect(isAlreadyExists(await client.create(configMaps, configMap).catch((e: unknown) => e))).toBe(true);
    await client.merge(configMaps, keyOf(configMap), { data: { a: '2' } });
    const stale = { metadata: { resourceVersion: metadata.resourceVersion }, data: { a: '3' } };
    expect(isConflict(await client.merge(configMaps, keyOf(configMap), stale).catch((e: unknown) => e))).toBe(true);
  });

  test('a merge patch removes a field with null', async () => {
    await client.create(configMaps, configMap);
    const merged = await client.merge(configMaps, keyOf(configMap), { data: { a: null } });
    expect(merged.data).toEqual({ b: '2' });
  });

  test('a delete with a uid spares the successor of the object', async () => {
    const first = await client.create(configMaps, configMap);
    await client.delete(configMaps, keyOf(configMap));
    const successor = await client.create(configMaps, configMap);
    await client.delete(configMaps, keyOf(configMap), { uid: first.metadata.uid });
    expect((await client.get(configMaps, keyOf(configMap)))?.metadata.uid).toBe(successor.metadata.uid);
    await client.delete(configMaps, keyOf(configMap), { uid: successor.metadata.uid });
    expect(await client.get(configMaps, keyOf(configMap))).toBeUndefined();
  });

  test('a list is selected by label and spans pages and namespaces', async () => {
    const labels = { batch: `b-${http2}` };
    const many = Array.from({ length: 620 }, (_, i) => ({
      ...configMap,
      metadata: { namespace: i % 2 === 0 ? 'default' : 'kube-system', name: `page-${http2}-${i}`, labels },
    }));
    await Promise.all(many.map((one) => client.create(configMaps, one)));
    const labelSelector = `batch=b-${http2}`;
    expect((await client.list(configMaps, undefined, { labelSelector })).length).toBe(620);
    expect((await client.list(configMaps, 'default', { labelSelector })).length).toBe(310);
    expect((await client.list(configMaps, 'default', { labelSelector }))[0]).toMatchObject({ kind: 'ConfigMap' });
  });

  test('status is written through its subresource and leaves the spec alone', async () => {
    const labels = { app: configMap.metadata.name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const { metadata } = configMap;
    const base = { apiVersion: 'apps/v1', kind: 'Deployment', metadata };
    const deployment: Deployment = { ...base, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
    await client.apply(deployments, deployment, by);
    const written = await client.applyStatus(deployments, { ...base, status: { replicas: 2 } }, by);
    expect([written.spec?.replicas, written.status?.replicas, written.metadata.generation]).toEqual([2, 2, 1]);
  });
});
