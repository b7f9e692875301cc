import { expect, test } from 'vitest';
import { configMaps, deployments } from '../api/builtin.ts';
import type { Client } from './client.ts';
import { type Grant, source } from './contracts.ts';
import { grantsOf, scoped } from './grants.ts';

const calls: string[] = [];
const recording = new Proxy({} as Client, {
  get: (_, verb: string) => async () => {
    calls.push(verb);
  },
});
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' } };
const key = { namespace: 'n', name: 'a' };
const by = { fieldManager: 'slipway-test' };

const refusals: Record<string, [readonly Grant[], (client: Client) => Promise<unknown>, string]> = {
  'a read that was not declared': [[], (c) => c.get(configMaps, key), 'test has no grant to get configmaps'],
  'an apply without create, which the first one is': [
    [{ resource: configMaps, verbs: ['patch'] }],
    (c) => c.apply(configMaps, object, by),
    'test has no grant to create configmaps',
  ],
  'a status write with a grant on the object alone': [
    [{ resource: deployments, verbs: ['patch', 'create'] }],
    (c) => c.applyStatus(deployments, object, by),
    'no grant to patch deployments/status: add it to the grants of test',
  ],
  'a call on a kind that was only granted in another': [
    [{ resource: deployments, verbs: ['delete'] }],
    (c) => c.delete(configMaps, key),
    'no grant to delete configmaps',
  ],
};
test.each(Object.entries(refusals))('%s is refused before it is sent', async (_, [grants, call, message]) => {
  calls.length = 0;
  await expect(call(scoped(recording, grants, 'test'))).rejects.toThrow(message);
  expect(calls).toEqual([]);
});

test('what is granted is passed on', async () => {
  calls.length = 0;
  const grants: Grant[] = [
    { resource: configMaps, verbs: ['get', 'create', 'patch', 'delete'] },
    { resource: configMaps, subresource: 'status', verbs: ['patch'] },
  ];
  const client = scoped(recording, grants, 'test');
  await client.get(configMaps, key);
  await client.apply(configMaps, object, by);
  await client.applyStatus(configMaps, object, by);
  await client.merge(configMaps, key, {});
  await client.delete(configMaps, key);
  expect(calls).toEqual(['get', 'apply', 'applyStatus', 'merge', 'delete']);
});

test('without the lease reads go on and writes are refused', async () => {
  const grants: Grant[] = [{ resource: configMaps, verbs: ['get', 'create'] }];
  const client = scoped(recording, grants, 'test', { mayWrite: () => false });
  await client.get(configMaps, key);
  await expect(client.create(configMaps, object)).rejects.toThrow('no longer holds the lease');
});

test('a source grants the list and the watch that feed it', () => {
  const sources = [source({ resource: configMaps, toKeys: () => [] })];
  expect(grantsOf({ grants: [], sources })).toEqual([{ resource: configMaps, verbs: ['list', 'watch'] }]);
});
