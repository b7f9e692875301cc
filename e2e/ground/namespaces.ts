import type { Client } from '@slipway/operator/kube/client.ts';
import { resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';

export const namespaces = resource<KubeObject>('', 'v1', 'Namespace', 'namespaces', false);

/** The API server refuses every pod of such a namespace that is not hardened: rendering one is then an outage, not a lapse. */
const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/enforce-version': 'latest',
};

export async function ensureRestrictedNamespace(client: Client, name: string): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: RESTRICTED } };
  await client.apply(namespaces, namespace, { fieldManager: 'slipway-e2e' });
}
