import type { Client } from '../src/kube/client.ts';
import type { ControllerSpec, Store } from '../src/kube/contracts.ts';
import { MemoryStore } from '../src/kube/memoryStore.ts';
import { keyOf, type Resource } from '../src/kube/resource.ts';
import type { KubeObject, Stored } from '../src/kube/wire.ts';

/**
 * One pass of a controller that just began to lead, and whose cache holds its own object as it once was and everything
 * else as the server has it now.
 */
export async function passOverCached<T extends KubeObject>(
  client: Client,
  controller: ControllerSpec,
  own: Resource<T>,
  cached: Stored<T>,
): Promise<void> {
  const stores = new Map<string, MemoryStore<KubeObject>>();
  for (const { resource, indexes = {} } of controller.sources) {
    const store = new MemoryStore<KubeObject>();
    for (const [name, of] of Object.entries(indexes)) store.addIndex(name, of);
    const listed = resource.plural === own.plural ? [cached] : await client.list(resource, cached.metadata.namespace);
    for (const object of listed) store.set(object);
    stores.set(resource.plural, store);
  }
  const reconciler = controller.build({
    client,
    store: <O extends KubeObject>({ plural }: Resource<O>) => stores.get(plural) as unknown as Store<O>,
    events: { emit: () => undefined },
    now: () => new Date(),
    random: () => 0,
    enqueue: () => undefined,
  });
  await reconciler.reconcile(keyOf(cached), AbortSignal.timeout(20_000));
}
