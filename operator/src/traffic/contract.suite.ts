import { expect, test } from 'vitest';
import type { InferenceService } from '../api/kinds.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { Stored } from '../kube/wire.ts';
import type { TrafficProvider } from './provider.ts';

/** A provider with a data plane that the suite may steer. */
export interface ProviderUnderTest {
  readonly provider: TrafficProvider;
  readonly infs: Stored<InferenceService>;
  /** Weights by revision as the data plane would read them now; undefined: no route. */
  configured(): Promise<Readonly<Record<string, number>> | undefined>;
  /** The data plane accepts what is configured. */
  accept(): Promise<void>;
  /** The data plane refuses it. */
  refuse(): Promise<void>;
  /** How often the configuration was written so far. */
  writes(): Promise<number>;
  /** The provider's caches catch up. */
  caughtUp(): Promise<void>;
}

const SPLIT: readonly Backend[] = [
  { revision: 'v1', weight: 9500 },
  { revision: 'v2', weight: 500 },
];
const STABLE: readonly Backend[] = [{ revision: 'v1', weight: 10_000 }];
const signal = new AbortController().signal;

/** What every TrafficProvider must do, whatever splits the requests. Call it inside a `describe`. */
export function trafficProviderContract(make: () => Promise<ProviderUnderTest>): void {
  const applied = async (under: ProviderUnderTest, backends: readonly Backend[]): Promise<void> => {
    await under.provider.apply(under.infs, backends, signal);
    await under.caughtUp();
  };

  test('a service without a version has no route', async () => {
    const under = await make();
    await applied(under, []);
    expect(await under.configured()).toBeUndefined();
    expect(under.provider.read(under.infs).route.state).toBe('Absent');
  });

  test('weights are configured as asked', async () => {
    const under = await make();
    await applied(under, SPLIT);
    expect(await under.configured()).toEqual({ v1: 9500, v2: 500 });
  });

  test('weights are Programmed when the data plane accepted them, and not before', async () => {
    const under = await make();
    await applied(under, SPLIT);
    expect(under.provider.read(under.infs).route.state).toBe('Pending');
    await under.accept();
    await under.caughtUp();
    expect(under.provider.read(under.infs).route).toEqual({ state: 'Programmed', weights: { v1: 9500, v2: 500 } });
    await applied(under, STABLE);
    expect(under.provider.read(under.infs).route.state).toBe('Pending');
  });

  test('a rollback is one write, after which the candidate is not configured at all', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await under.accept();
    await under.caughtUp();
    const before = await under.writes();
    await applied(under, STABLE);
    expect((await under.writes()) - before).toBe(1);
    expect(await under.configured()).toEqual({ v1: 10_000 });
  });

  test('what is so already is not written again', async () => {
    const under = await make();
    await applied(under, SPLIT);
    const before = await under.writes();
    await applied(under, SPLIT);
    expect(await under.writes()).toBe(before);
  });

  test('a refusal is told with its reason', async () => {
    const under = await make();
    await applied(under, SPLIT);
    await under.refuse();
    await under.caughtUp();
    expect(under.provider.read(under.infs).route).toMatchObject({
      state: 'Refused',
      message: expect.stringMatching(/.+/),
    });
  });
}
