import { type Pod, pods, type Service } from '../../api/builtin.ts';
import { type EndpointSlice, endpointSlices } from '../../api/endpointSlices.ts';
import type { Client } from '../../kube/client.ts';
import type { Stored } from '../../kube/wire.ts';

/** The pods that the API server finds by the selector of a Service. */
export const selected = async (client: Client, { metadata, spec }: Service): Promise<readonly Stored<Pod>[]> => {
  const labelSelector = Object.entries(spec?.selector ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join();
  return client.list(pods, metadata.namespace, { labelSelector });
};

/** What the EndpointSlice controller of Kubernetes writes for a Service: it copies its labels. */
export async function writeSlices(client: Client, service: Service): Promise<void> {
  const { name, namespace = '', labels } = service.metadata;
  const endpoints = (await selected(client, service)).map(({ metadata, status }) => ({
    addresses: [status?.podIP ?? ''],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', name: metadata.name, namespace },
  }));
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x`, namespace, labels: { ...labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
  await client.apply(endpointSlices, slice, { fieldManager: 'endpointslice-controller' });
}
