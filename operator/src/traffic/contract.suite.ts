import { describe, expect, test } from 'vitest';
import type { InferenceService } from '../api/kinds.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { HeaderRoute } from '../domain/rollout/world.ts';
import type { Stored } from '../kube/wire.ts';
import type { MovableTraffic, TrafficSplit } from './provider.ts';

/** A provider with a data plane that the suite may steer. Version v1 has three ready pods, v2 one. */
export interface ProviderUnderTest {
  readonly provider: MovableTraffic;
  readonly infs: Stored<InferenceService>;
  /** Weights by revision as the data plane would read them now, of 10,000; undefined: no way in. */
  configured(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Header routes as the data plane would read them now. */
  configuredRoutes(): Promise<readonly HeaderRoute[]>;
  /** The data plane accepts what is configured. */
  accept(): Promise<void>;
  /** The data plane refuses it, where it can. */
  refuse(): Promise<void>;
  /** Writes of the provider so far. */
  writes(): number;
  /** Questions of the provider to the server so far. */
  reads(): number;
  /** The provider of an operator that comes to lead now, with the same caches. */
  successor(): MovableTraffic;
  /** Somebody deletes the object of the provider. */
  vanish(): Promise<void>;
  /** The provider's caches catch up. */
  caughtUp(): Promise<void>;
  /** A person makes an object of the name of ours; answers with a look at whether it is as they made it. */
  foreign(): Promise<() => Promise<boolean>>;
}

/** What not every provider can do. */
export interface Abilities {
  readonly headers: boolean;
  /** Others have a say in whether it works. */
  readonly refusals: boolean;
}

const SPLIT: readonly Backend[] = [
  { revision: 'v1', weight: 7500 },
  { revision: 'v2', weight: 2500 },
];
const STABLE: readonly Backend[] = [{ revision: 'v1', weight: 10_000 }];
const BETA: HeaderRoute = { header: { 'x-cohort': 'beta' }, revision: 'v2' };
const CONTROL: HeaderRoute = { header: { 'x-cohort': 'control' }, revision: 'v1' };
const signal = new AbortController().signal;

const applied = async (
  under: ProviderUnderTest,
  backends: readonly Backend[],
  routes: TrafficSplit['routes'] = [],
): Promise<void> => {
  await under.provider.apply(under.infs, { backends, routes }, signal);
  await under.caughtUp();
};
const accepted = async (under: ProviderUnderTest): Promise<void> => {
  await under.accept();
  await under.caughtUp();
};
const route = async ({ provider, infs }: ProviderUnderTest) => (await provider.read(infs, signal)).route;

function splits(make: () => Promise<ProviderUnderTest>): void {
  test('a service without a version has no way in', async () => {
    const under = await make();
    await applied(under, []);
    expect(await under.configured()).toBeUndefined();
    expect((await route(under)).state).toBe('Absent');
    expect(under.provider.holds(under.infs)).toBeUndefined();
  });

  test('weights are configured as asked', async () => {
    const under = await make();
    await applied(under, SPLIT);
    expect(await under.configured()).toEqual({ v1: 7500, v2: 2500 });
  });

  test('argo-rollouts#701, #4752: weights are Programmed when the data plane took them, and not before', async () => {
    const under = await make();
    await applied(under, STABLE);
    expect((await route(under)).state).toBe('Pending');
    await accepted(under);
    expect(await route(under)).toMatchObject({ state: 'Programmed', weights: { v1: 10_000 } });
    await applied(under, SPLIT);
    expect((await route(under)).state).toBe('Pending');
    await accepted(under);
    expect(await route(under)).toMatchObject({ state: 'Programmed', weights: { v1: 7500, v2: 2500 } });
  });

  test('argo-rollouts#3333: a version still counts as taking requests until the data plane let go of it', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await accepted(under);
    await applied(under, STABLE);
    expect((await route(under)).state).toBe('Pending');
    await accepted(under);
    expect(await route(under)).toMatchObject({ state: 'Programmed', weights: { v1: 10_000 } });
  });

  test('flagger#1647: a rollback is one write, after which the candidate is not configured at all', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await accepted(under);
    const before = under.writes();
    await applied(under, STABLE);
    expect(under.writes() - before).toBe(1);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });

  test('what is so already is not written again', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await accepted(under);
    const before = under.writes();
    await applied(under, SPLIT);
    expect(under.writes()).toBe(before);
  });

  test('what was removed is no way in, and can be made again', async () => {
    const under = await make();
    await applied(under, STABLE);
    expect(under.provider.holds(under.infs)?.metadata.name).toBe(under.infs.metadata.name);
    await under.provider.remove(under.infs, signal);
    await under.caughtUp();
    expect(await under.configured()).toBeUndefined();
    await under.provider.remove(under.infs, signal);
    await applied(under, STABLE);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });
}

function oldCaches(make: () => Promise<ProviderUnderTest>): void {
  const bare = async (under: ProviderUnderTest, backends: readonly Backend[], by = under.provider) =>
    by.apply(under.infs, { backends, routes: [] }, signal);

  test('a cache that lags behind our own write is not believed: a rollback is written, and told when it is so', async () => {
    const under = await make();
    await applied(under, STABLE);
    await accepted(under);
    expect((await route(under)).state).toBe('Programmed');
    await bare(under, SPLIT);
    await under.accept();
    expect(await route(under)).toMatchObject({ state: 'Programmed', weights: { v1: 7500, v2: 2500 } });
    await bare(under, STABLE);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    expect((await route(under)).state).toBe('Pending');
    await under.accept();
    expect(await route(under)).toMatchObject({ state: 'Programmed', weights: { v1: 10_000 } });
  });

  test('what a leader before wrote last is seen, however old the caches of the next one are', async () => {
    const under = await make();
    await applied(under, STABLE);
    await accepted(under);
    await bare(under, SPLIT);
    await under.accept();
    const next = under.successor();
    const seen = await next.read(under.infs, signal);
    expect(seen.route).toMatchObject({ state: 'Programmed', weights: { v1: 7500, v2: 2500 } });
    await bare(under, STABLE, next);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });

  test('an object that somebody deleted is made again, whether the cache ever had it or not', async () => {
    const under = await make();
    await bare(under, STABLE);
    await under.vanish();
    await under.provider.read(under.infs, signal);
    await bare(under, STABLE);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    await under.caughtUp();
    await under.provider.read(under.infs, signal);
    await under.vanish();
    await under.caughtUp();
    expect((await route(under)).state).toBe('Absent');
    await bare(under, STABLE);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });

  test('once the cache has caught up the server is asked no more', async () => {
    const under = await make();
    await applied(under, STABLE);
    await accepted(under);
    await route(under);
    const before = under.reads();
    await route(under);
    expect(under.reads()).toBe(before);
    under.provider.forget({ namespace: under.infs.metadata.namespace ?? '', name: under.infs.metadata.name });
    await route(under);
    expect(under.reads()).toBeGreaterThan(before);
  });
}

function namesakes(make: () => Promise<ProviderUnderTest>): void {
  test("argo-rollouts#3854, flagger#1857: a person's own object of that name is left alone, and told", async () => {
    const under = await make();
    const isUntouched = await under.foreign();
    await applied(under, STABLE);
    await applied(under, SPLIT);
    await under.provider.remove(under.infs, signal);
    expect(under.writes()).toBe(0);
    expect(await isUntouched()).toBe(true);
    const { name } = under.infs.metadata;
    expect(await route(under)).toMatchObject({
      state: 'Refused',
      reason: 'NameTaken',
      message: expect.stringContaining(
        ` ${name} exists and does not belong to this InferenceService: rename or delete`,
      ),
    });
  });
}

function refusedByOthers(make: () => Promise<ProviderUnderTest>): void {
  test('a refusal is told with its reason', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await under.refuse();
    await under.caughtUp();
    expect(await route(under)).toMatchObject({ state: 'Refused', message: expect.stringMatching(/.+/) });
  });
}

function byHeader(make: () => Promise<ProviderUnderTest>): void {
  test('requests go by header in the order asked, and the answer says so', async () => {
    const under = await make();
    await applied(under, SPLIT, [BETA, CONTROL]);
    await accepted(under);
    expect(await under.configuredRoutes()).toEqual([BETA, CONTROL]);
    expect(await route(under)).toMatchObject({ weights: { v1: 7500, v2: 2500 }, routes: [BETA, CONTROL] });
  });

  test('a candidate can be reached by header while it has no weight, as in a preview', async () => {
    const under = await make();
    await applied(under, STABLE, [BETA]);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    expect(await under.configuredRoutes()).toEqual([BETA]);
  });

  test('flagger#1532: a rollback takes the header routes of the candidate away in the same write', async () => {
    const under = await make();
    await applied(under, SPLIT, [BETA, CONTROL]);
    const before = under.writes();
    await applied(under, STABLE, [CONTROL]);
    expect(under.writes() - before).toBe(1);
    expect(await under.configuredRoutes()).toEqual([CONTROL]);
  });
}

function withoutHeaders(make: () => Promise<ProviderUnderTest>): void {
  test('header routes change nothing, and the answer claims none', async () => {
    const under = await make();
    await applied(under, STABLE, [BETA]);
    await accepted(under);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    expect(await route(under)).not.toHaveProperty('routes');
  });
}

/** What every TrafficProvider must do, whatever splits the requests. Call it inside a `describe`. */
export function trafficProviderContract(can: Abilities, make: () => Promise<ProviderUnderTest>): void {
  splits(make);
  oldCaches(make);
  namesakes(make);
  if (can.refusals) refusedByOthers(make);
  describe('by header', () => (can.headers ? byHeader(make) : withoutHeaders(make)));
}
