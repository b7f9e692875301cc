import { LABELS } from '@slipway/crds/contract';
import { type Pod, pods, type Service, services } from '../../api/builtin.ts';
import { type EndpointSlice, endpointSlices } from '../../api/endpointSlices.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import { keyOf } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import type { ProviderUnderTest } from '../contract.suite.ts';
import { sharesOf } from '../endpointFacts.ts';
import { ReplicasTraffic } from '../replicas.ts';
import { selected, writeSlices } from './endpoints.ts';
import { counting, makeService, NAMESPACE, runPods, Snapshot } from './trafficWorld.ts';

export interface ReplicasUnderTest extends ProviderUnderTest {
  readonly service: () => Promise<Stored<Service> | undefined>;
}

const revisionOf = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.revision] ?? '';

/** The Replicas provider over a real API server; the EndpointSlice controller is played by hand. */
export async function replicasUnderTest(
  real: Client,
  made?: Stored<InferenceService>,
  node?: string,
): Promise<ReplicasUnderTest> {
  const { client, writes, reads } = counting(real);
  const infs = made ?? (await makeService(real, { provider: 'Replicas' }));
  await runPods(real, infs, 'v1', 3, node);
  await runPods(real, infs, 'v2', 1, node);
  const known = new Snapshot<Service>(real, services);
  const running = new Snapshot<Pod>(real, pods);
  const slices = new Snapshot<EndpointSlice>(real, endpointSlices);
  const caughtUp = async (): Promise<void> => {
    await Promise.all([known.refresh(), running.refresh(), slices.refresh()]);
  };
  await caughtUp();
  const own = <T extends KubeObject>(objects: readonly Stored<T>[]): readonly Stored<T>[] =>
    objects.filter(({ metadata }) => metadata.labels?.[LABELS.inferenceService] === infs.metadata.name);
  const service = (): Promise<Stored<Service> | undefined> => real.get(services, keyOf(infs));
  const operator = (): ReplicasTraffic =>
    new ReplicasTraffic({
      client,
      services: known,
      podsOf: () => own(running.list()),
      slicesOf: () => own(slices.list()),
      fieldManager: 'slipway-inferenceservice',
    });
  return {
    provider: operator(),
    successor: operator,
    reads,
    vanish: () => real.delete(services, keyOf(infs)),
    infs,
    service,
    caughtUp,
    writes,
    accept: async () => {
      const found = await service();
      if (found !== undefined) await writeSlices(real, found);
    },
    refuse: () => Promise.reject(new Error('nobody has a say in this')),
    configured: async () => {
      const found = await service();
      if (found === undefined) return undefined;
      const counts: Record<string, number> = {};
      for (const pod of await selected(real, found)) counts[revisionOf(pod)] = (counts[revisionOf(pod)] ?? 0) + 1;
      return sharesOf(counts);
    },
    configuredRoutes: () => Promise.resolve([]),
    foreign: async () => {
      const theirs = await real.create(services, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: infs.metadata.name, namespace: NAMESPACE },
        spec: { ports: [{ port: 80 }] },
      });
      return async () => (await service())?.metadata.resourceVersion === theirs.metadata.resourceVersion;
    },
  };
}
