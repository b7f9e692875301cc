import { PORTS } from '@slipway/crds/contract';
import type { Service } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import {
  predictorMeta,
  predictorNames,
  predictorSelector,
  revisionSelector,
  SERVICE_PORT,
} from './predictorChildren.ts';

/** The ports of every Service of ours: REST by the name and number that clients expect, gRPC by its own. */
export const predictorPorts = () => [
  { name: 'http', port: SERVICE_PORT, targetPort: 'rest', protocol: 'TCP', appProtocol: 'http' },
  { name: 'grpc', port: PORTS.grpc, targetPort: 'grpc', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' },
];

/**
 * The one Service of a service without a gateway: it selects the pods of one revision, or, `undefined`, of every
 * revision that there are pods of. Kubernetes itself keeps the addresses up to date, with the operator or without it.
 */
export const replicasService = (infs: Stored<InferenceService>, revision: string | undefined): Service => {
  const { name } = infs.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: predictorMeta(infs, predictorNames(name).route),
    spec: {
      type: 'ClusterIP',
      selector: revision === undefined ? predictorSelector(name) : revisionSelector(name, revision),
      ports: predictorPorts(),
    },
  };
};
