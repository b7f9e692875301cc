import { PORTS } from '@slipway/crds/contract';
import type { NetworkPolicy } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames, predictorSelector } from './predictorChildren.ts';

/** On the wire the field is `from`; the generated type calls it `_from`, a reserved word elsewhere. */
const fromNamespaces = (namespaces: readonly string[]): object => ({
  from: namespaces.map((namespace) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  })),
});

/**
 * Anyone may ask the model, over REST and gRPC. The admin port is for the operator's namespace and for those that scrape
 * metrics from it; all but metrics and probes, which always pass, asks for the token of the service as well.
 */
export const networkPolicy = (infs: Stored<InferenceService>, adminFrom: readonly string[]): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: predictorMeta(infs, predictorNames(infs.metadata.name).networkPolicy),
  spec: {
    podSelector: { matchLabels: predictorSelector(infs.metadata.name) },
    policyTypes: ['Ingress'],
    ingress: [
      { ports: [PORTS.rest, PORTS.grpc].map((port) => ({ port, protocol: 'TCP' })) },
      {
        ...fromNamespaces(adminFrom),
        ports: [{ port: PORTS.admin, protocol: 'TCP' }],
      },
    ],
  },
});
