import { until } from '@slipway/hack/local-cluster/until.ts';
import type { Goal } from '@slipway/operator/cli/arguments.ts';
import { standing, type Watched } from '@slipway/operator/cli/goals.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { type Key, keyText, type Resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject, Stored } from '@slipway/operator/kube/wire.ts';

const POLL_MS = 200;

/** Polls one object until it fits, and returns it as it then was. `lost` says why it never will. */
export async function awaitObject<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  key: Key,
  fits: (object: Stored<T>) => boolean,
  options: { what: string; timeoutMs: number; lost?: (object: Stored<T>) => string | undefined },
): Promise<Stored<T>> {
  let lost: string | undefined;
  return until(
    async () => {
      const object = await client.get(resource, key);
      if (object === undefined) return undefined;
      if (fits(object)) return object;
      lost = options.lost?.(object);
      return undefined;
    },
    { what: options.what, timeoutMs: options.timeoutMs, everyMs: POLL_MS, hopeless: () => lost },
  );
}

/** As `kubectl slipway wait`: ends early when the goal can no longer be reached. */
export function awaitGoal<T extends KubeObject & Watched>(
  client: Client,
  resource: Resource<T>,
  key: Key,
  goal: Goal,
  timeoutMs: number,
): Promise<Stored<T>> {
  const where = (object: Stored<T>) => standing(object, goal);
  return awaitObject(client, resource, key, (object) => where(object).kind === 'reached', {
    what: `${resource.kind} ${keyText(key)} to be ${goal}`,
    timeoutMs,
    lost: (object) => {
      const found = where(object);
      return found.kind === 'never' ? found.why : undefined;
    },
  });
}
