import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { installGatewayApi } from '../../test/gatewayApiDefinitions.ts';
import { type Connection, connect } from '../kube/connect.ts';
import { trafficProviderContract } from './contract.suite.ts';
import type { TrafficSplit } from './provider.ts';
import { type GatewayOptions, type GatewayUnderTest, gatewayUnderTest } from './testing/gatewayUnderTest.ts';

const signal = new AbortController().signal;
let connection: Connection;

beforeAll(async () => {
  await installGatewayApi(inject('kubeconfig'));
  connection = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => connection.close());

const make = (options?: GatewayOptions): Promise<GatewayUnderTest> => gatewayUnderTest(connection.client, options);
const STABLE: TrafficSplit = { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] };
const SPLIT: TrafficSplit = {
  backends: [
    { revision: 'v1', weight: 9999 },
    { revision: 'v2', weight: 1 },
  ],
  routes: [{ header: { 'x-cohort': 'beta' }, revision: 'v2' }],
};
const edited = (under: GatewayUnderTest, traffic: object): GatewayUnderTest['infs'] => ({
  ...under.infs,
  spec: { ...under.infs.spec, traffic: { ...under.infs.spec.traffic, ...traffic } },
});

describe('the Gateway API', () => {
  trafficProviderContract({ headers: true, refusals: true }, () => make());

  test('takes the path prefix away again when the spec no longer asks for it', async () => {
    const under = await make({ traffic: { pathPrefix: '/flights' } });
    await under.provider.apply(under.infs, STABLE, signal);
    expect((await under.route())?.spec.rules[0]?.filters).toHaveLength(1);
    await under.caughtUp();
    await under.provider.apply(edited(under, { pathPrefix: '/' }), STABLE, signal);
    expect((await under.route())?.spec.rules[0]?.filters).toBeUndefined();
  });

  test('shares of a hundredth of a percent and rules by header pass the checks of the Gateway API', async () => {
    const under = await make({ traffic: { pathPrefix: '/flights' } });
    await under.provider.apply(under.infs, SPLIT, signal);
    expect(await under.configured()).toEqual({ v1: 9999, v2: 1 });
    expect((await under.route())?.spec.rules.map(({ filters }) => filters?.length)).toEqual([1, 1]);
  });

  test('names its rules where the class says that names are known', async () => {
    const named = await make({ features: ['HTTPRoute', 'HTTPRouteNamedRouteRule'] });
    await named.provider.apply(named.infs, SPLIT, signal);
    expect((await named.route())?.spec.rules.map(({ name }) => name)).toEqual(['weights', 'header-1']);
    const silent = await make();
    await silent.provider.apply(silent.infs, SPLIT, signal);
    expect((await silent.route())?.spec.rules.map(({ name }) => name)).toEqual([undefined, undefined]);
  });
});

describe('traffic stays where it was, and can still be rolled back, when the spec comes to ask for', () => {
  const live = async (options?: GatewayOptions): Promise<GatewayUnderTest> => {
    const under = await make(options);
    await under.provider.apply(under.infs, SPLIT, signal);
    await under.accept();
    await under.caughtUp();
    return under;
  };

  test.each([
    ['a Gateway that is not there', { gateway: { name: 'gone' } }, 'GatewayNotFound'],
    ['a path that the class can not rewrite', { pathPrefix: '/flights' }, 'FeatureNotSupported'],
  ])('%s', async (_, traffic, reason) => {
    const under = await live({ features: ['HTTPRoute'] });
    const before = await under.route();
    const infs = edited(under, traffic);
    expect((await under.provider.read(infs, signal)).route).toMatchObject({ state: 'Refused', reason });
    await under.provider.apply(infs, SPLIT, signal);
    expect(await under.route()).toEqual(before);
    await under.provider.apply(infs, STABLE, signal);
    const after = await under.route();
    expect(after?.spec.parentRefs).toEqual(before?.spec.parentRefs);
    expect(after?.spec.rules).toHaveLength(1);
    expect(after?.spec.rules[0]?.matches).toEqual(before?.spec.rules[0]?.matches);
    expect(JSON.stringify(after?.spec)).not.toContain('v2');
  });

  test('another provider, which takes over later', async () => {
    const under = await live({ traffic: { hostnames: ['flights.example.com'], pathPrefix: '/flights' } });
    const before = await under.route();
    const { hostnames: _, ...traffic } = under.infs.spec.traffic;
    const moving = { ...traffic, provider: 'Replicas' as const, pathPrefix: '/' };
    await under.provider.apply({ ...under.infs, spec: { ...under.infs.spec, traffic: moving } }, STABLE, signal);
    const after = await under.route();
    expect(after?.spec.hostnames).toEqual(['flights.example.com']);
    expect(after?.spec.rules[0]?.matches).toEqual(before?.spec.rules[0]?.matches);
    expect(after?.spec.rules[0]?.filters).toEqual(before?.spec.rules[0]?.filters);
  });
});

describe('a service whose Gateway does not exist yet', () => {
  test('has no route until it does', async () => {
    const under = await make({ missing: true });
    await under.provider.apply(under.infs, STABLE, signal);
    expect(await under.route()).toBeUndefined();
    expect((await under.provider.read(under.infs, signal)).route).toMatchObject({ reason: 'GatewayNotFound' });
    await under.makeGateway();
    await under.caughtUp();
    await under.provider.apply(under.infs, STABLE, signal);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });

  test('and that names none is told what to write', async () => {
    const under = await make({ unnamed: true });
    await under.provider.apply(under.infs, STABLE, signal);
    expect(await under.route()).toBeUndefined();
    expect((await under.provider.read(under.infs, signal)).route).toMatchObject({
      reason: 'GatewayNotNamed',
      message: expect.stringContaining('set spec.traffic.gateway'),
    });
  });
});
