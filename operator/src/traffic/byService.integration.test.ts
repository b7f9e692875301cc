import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { installGatewayApi } from '../../test/gatewayApiDefinitions.ts';
import type { InferenceService } from '../api/kinds.ts';
import { type Connection, connect } from '../kube/connect.ts';
import { keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { MOVE_OVER_MS, TrafficByService } from './byService.ts';
import type { ProviderUnderTest } from './contract.suite.ts';
import type { TrafficSplit } from './provider.ts';
import { gatewayUnderTest } from './testing/gatewayUnderTest.ts';
import { replicasUnderTest } from './testing/replicasUnderTest.ts';

const signal = new AbortController().signal;
let connection: Connection;

beforeAll(async () => {
  await installGatewayApi(inject('kubeconfig'));
  connection = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => connection.close());

const STABLE: TrafficSplit = { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] };
const SPLIT: TrafficSplit = {
  backends: [
    { revision: 'v1', weight: 7500 },
    { revision: 'v2', weight: 2500 },
  ],
  routes: [],
};
type Provider = 'Gateway' | 'Replicas';

/** Both providers of one service, and the one that chooses between them. */
async function makeBoth() {
  const gateway = await gatewayUnderTest(connection.client);
  const replicas = await replicasUnderTest(connection.client, gateway.infs);
  const woken: number[] = [];
  let at = Date.now();
  const provider = new TrafficByService({
    gateway: gateway.provider,
    replicas: replicas.provider,
    now: () => new Date(at),
    wake: (key, afterMs) => {
      expect(key).toEqual(keyOf(gateway.infs));
      woken.push(afterMs);
    },
  });
  const asking = (name: Provider): Stored<InferenceService> => {
    const { spec } = gateway.infs;
    return { ...gateway.infs, spec: { ...spec, traffic: { ...spec.traffic, provider: name } } };
  };
  const sides: Readonly<Record<Provider, ProviderUnderTest>> = { Gateway: gateway, Replicas: replicas };
  return {
    provider,
    sides,
    asking,
    woken,
    /** One pass with this provider in the spec. */
    pass: async (name: Provider, split: TrafficSplit): Promise<void> => {
      await provider.apply(asking(name), split, signal);
      await Promise.all([gateway.caughtUp(), replicas.caughtUp()]);
    },
    accept: async (name: Provider): Promise<void> => {
      await sides[name].accept();
      await sides[name].caughtUp();
    },
    pastTheMove: (): void => {
      at += MOVE_OVER_MS + 1000;
    },
    waysIn: async () => ({
      Gateway: await gateway.configured(),
      Replicas: await replicas.configured(),
    }),
  };
}

const DIRECTIONS: readonly (readonly [Provider, Provider])[] = [
  ['Gateway', 'Replicas'],
  ['Replicas', 'Gateway'],
];

describe('a service uses the provider that its spec names, and no other', () => {
  test.each(['Gateway', 'Replicas'] as const)('%s', async (name) => {
    const under = await makeBoth();
    await under.pass(name, SPLIT);
    await under.accept(name);
    const ways = await under.waysIn();
    expect(Object.entries(ways).filter(([, way]) => way !== undefined)).toEqual([[name, { v1: 7500, v2: 2500 }]]);
    expect((await under.provider.read(under.asking(name), signal)).route).toMatchObject({ state: 'Programmed' });
    expect(under.woken).toEqual([]);
  });
});

test('moving from Gateway to Replicas in mid-rollout shows the candidate to no more users than the gateway does', async () => {
  const under = await makeBoth();
  const few: TrafficSplit = {
    ...SPLIT,
    backends: SPLIT.backends.map((b, i) => ({ ...b, weight: i === 0 ? 9500 : 500 })),
  };
  await under.pass('Gateway', few);
  await under.accept('Gateway');
  await under.pass('Replicas', few);
  await under.accept('Replicas');
  under.pastTheMove();
  await under.pass('Replicas', few);
  expect(await under.waysIn()).toEqual({ Gateway: { v1: 9500, v2: 500 }, Replicas: { v1: 10_000 } });
});

describe.each(DIRECTIONS)('moving from %s to %s in mid-rollout', (from, to) => {
  test('keeps the old way in until the new one has taken requests for a while', async () => {
    const under = await makeBoth();
    const isOpen = async (name: Provider) => (await under.waysIn())[name] !== undefined;
    await under.pass(from, SPLIT);
    await under.accept(from);
    await under.pass(to, SPLIT);
    expect(await under.waysIn()).toEqual({ Gateway: { v1: 7500, v2: 2500 }, Replicas: { v1: 7500, v2: 2500 } });
    // However long the new one takes: nothing goes before it is there.
    under.pastTheMove();
    await under.pass(to, SPLIT);
    expect(await isOpen(from)).toBe(true);
    expect(under.woken).toEqual([]);
    await under.accept(to);
    await under.pass(to, SPLIT);
    expect(await under.waysIn()).toMatchObject({ [to]: { v1: 7500, v2: 2500 } });
    expect(await isOpen(from)).toBe(false);
  });

  test('leaves clients a minute with both, and asks to be woken when it is over', async () => {
    const under = await makeBoth();
    await under.pass(from, STABLE);
    await under.accept(from);
    await under.pass(to, STABLE);
    await under.accept(to);
    await under.pass(to, STABLE);
    expect(await under.waysIn()).toEqual({ Gateway: { v1: 10_000 }, Replicas: { v1: 10_000 } });
    expect(under.woken).toHaveLength(1);
    expect(under.woken[0]).toBeGreaterThan(0);
    expect(under.woken[0]).toBeLessThanOrEqual(MOVE_OVER_MS + 1000);
  });

  test('a rollback takes the candidate out of both', async () => {
    const under = await makeBoth();
    await under.pass(from, SPLIT);
    await under.accept(from);
    await under.pass(to, SPLIT);
    await under.pass(to, STABLE);
    expect(await under.waysIn()).toEqual({ Gateway: { v1: 10_000 }, Replicas: { v1: 10_000 } });
  });

  test('tells the old address until the new one works', async () => {
    const under = await makeBoth();
    await under.pass(from, STABLE);
    await under.accept(from);
    const told = { ...under.asking(to), status: { url: 'http://old.example' } } as Stored<InferenceService>;
    await under.provider.apply(told, STABLE, signal);
    await Promise.all(Object.values(under.sides).map((side) => side.caughtUp()));
    expect(await under.provider.read(told, signal)).toMatchObject({
      route: { state: 'Pending' },
      url: 'http://old.example',
    });
    await under.accept(to);
    expect((await under.provider.read(told, signal)).url).not.toBe('http://old.example');
  });
});
