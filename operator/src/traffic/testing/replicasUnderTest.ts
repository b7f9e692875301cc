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
import { counting, makeService, NAMESPACE, runPods, Snapshot } from './trafficWorld.ts';

export interface ReplicasUnderTest extends ProviderUnderTest {
  readonly service: () => Promise<Stored<Service> | undefined>;
}

const revisionOf = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.revision] ?? '';

/** The pods that the API server finds by the selector of a Service. */
const selected = async (client: Client, { spec }: Service): Promise<readonly Stored<Pod>[]> => {
  const labelSelector = Object.entries(spec?.selector ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join();
  return client.list(pods, NAMESPACE, { labelSelector });
};

/** What the EndpointSlice controller of Kubernetes writes for a Service: it copies its labels. */
async function writeSlices(client: Client, service: Service): Promise<void> {
  const { name, labels } = service.metadata;
  const endpoints = (await selected(client, service)).map(({ metadata, status }) => ({
    addresses: [status?.podIP ?? ''],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', name: metadata.name, namespace: NAMESPACE },
  }));
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x`, namespace: NAMESPACE, labels: { ...labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
  await client.apply(endpointSlices, slice, { fieldManager: 'endpointslice-controller' });
}

/** The Replicas provider over a real API server; the EndpointSlice controller is played by hand. */
export async function replicasUnderTest(
  real: Client,
  made?: Stored<InferenceService>,
  node?: string,
): Promise<ReplicasUnderTest> {
  const { client, writes } = counting(real);
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
  return {
    provider: new ReplicasTraffic({
      client,
      services: known,
      podsOf: () => own(running.list()),
      slicesOf: () => own(slices.list()),
      fieldManager: 'slipway-inferenceservice',
    }),
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
