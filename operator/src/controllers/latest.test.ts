import { expect, test } from 'vitest';
import type { Client } from '../kube/client.ts';
import { resource } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';
import { Latest } from './latest.ts';

const kind = resource('slipway.dev', 'v1alpha1', 'Kind', 'kinds');
const at = (resourceVersion: string, uid = 'u') =>
  ({
    apiVersion: '',
    kind: '',
    metadata: { name: 'flights', namespace: 'ml', resourceVersion, uid },
  }) as Stored<KubeObject>;
const { signal } = new AbortController();

/** A server that has one object. */
const latestOver = (found: Stored<KubeObject> | undefined) => {
  let gets = 0;
  const get = async () => {
    gets += 1;
    return found;
  };
  return { latest: new Latest<KubeObject>({ get } as unknown as Client, kind), gets: () => gets };
};
const version = (object: Stored<KubeObject> | undefined) => object?.metadata.resourceVersion;

test('the first look at an object is at the server, and only the first', async () => {
  const { latest, gets } = latestOver(at('10'));
  expect(version(await latest.of(at('9'), signal))).toBe('10');
  expect(version(await latest.of(at('11'), signal))).toBe('11');
  expect(gets()).toBe(1);
});

test('an object we wrote counts until the cache has it, or a successor', async () => {
  const { latest } = latestOver(at('5'));
  await latest.of(at('5'), signal);
  latest.remember(at('10'));
  expect(version(await latest.of(at('9'), signal))).toBe('10');
  expect(version(await latest.of(at('11'), signal))).toBe('11');
  expect(version(await latest.of(at('11'), signal))).toBe('11');
});

test.each([
  ['deleted', undefined],
  ['replaced by another of its name', at('12', 'another')],
])('an object that was %s meanwhile is left to the watch', async (_what, found) => {
  expect(await latestOver(found).latest.of(at('9'), signal)).toBeUndefined();
});

test('a forgotten object is asked for again', async () => {
  const { latest, gets } = latestOver(at('10'));
  await latest.of(at('9'), signal);
  expect(latest.forget({ namespace: 'ml', name: 'flights' })).toBe('u');
  await latest.of(at('9'), signal);
  expect(gets()).toBe(2);
});
