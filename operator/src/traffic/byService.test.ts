import { expect, test } from 'vitest';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { TrafficByService } from './byService.ts';
import type { MovableTraffic, TrafficSplit } from './provider.ts';

const STABLE: TrafficSplit = { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] };
const infs = { metadata: { name: 's', namespace: 'n' }, spec: { traffic: { provider: 'Gateway' } } };

const refusing: MovableTraffic = {
  read: async () => ({ route: { state: 'Absent' } }),
  apply: async () => {
    throw new Error('no endpoints available for the webhook of the gateway');
  },
  holds: () => undefined,
  remove: async () => undefined,
  forget: () => undefined,
};

test('a rollback in mid-move closes the old way in, though the new one can not be written', async () => {
  const applied: TrafficSplit[] = [];
  const old: MovableTraffic = {
    ...refusing,
    holds: () => ({ metadata: { name: 's' } }) as never,
    apply: async (_infs, split) => {
      applied.push(split);
    },
  };
  const traffic = new TrafficByService({ gateway: refusing, replicas: old, now: () => new Date(0), wake: () => {} });
  const writing = traffic.apply(infs as Stored<InferenceService>, STABLE, new AbortController().signal);
  await expect(writing).rejects.toThrow('webhook');
  expect(applied).toEqual([STABLE]);
});
