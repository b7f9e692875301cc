import { services } from '@slipway/operator/api/builtin.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { type Key, resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';

export interface Gateway extends KubeObject {
  spec: { listeners: { name: string; port: number; protocol: string }[] };
  status?: { addresses?: { type?: string; value: string }[]; conditions?: { type: string; status: string }[] };
}
export const gateways = resource<Gateway>('gateway.networking.k8s.io', 'v1', 'Gateway', 'gateways');

/** Set by Envoy Gateway on the Service that it makes for a Gateway. */
const OWNING_NAME = 'gateway.envoyproxy.io/owning-gateway-name';
const OWNING_NAMESPACE = 'gateway.envoyproxy.io/owning-gateway-namespace';

/** The implementation's Service, for a Gateway whose address is not published (a LoadBalancer nobody serves). */
async function serviceAddress(client: Client, key: Key): Promise<string | undefined> {
  const labelSelector = `${OWNING_NAME}=${key.name},${OWNING_NAMESPACE}=${key.namespace}`;
  const [service] = await client.list(services, undefined, { labelSelector });
  return service?.spec?.clusterIP;
}

/** Base URL that reaches the HTTP listener of a Gateway; undefined while it has no address. */
export async function gatewayUrl(client: Client, key: Key): Promise<string | undefined> {
  const gateway = await client.get(gateways, key);
  const listener = gateway?.spec.listeners.find((l) => l.protocol === 'HTTP');
  if (gateway === undefined || listener === undefined) return undefined;
  const address = gateway.status?.addresses?.[0]?.value ?? (await serviceAddress(client, key));
  return address === undefined ? undefined : `http://${address}:${listener.port}`;
}
