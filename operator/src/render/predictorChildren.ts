import { LABELS } from '@slipway/crds/contract';
import type { InferenceService } from '../api/kinds.ts';
import type { ObjectMeta, OwnerReference, Stored } from '../kube/wire.ts';

/** The server's container in every predictor pod. */
export const SERVER_CONTAINER = 'server';
/** Port of the per-version Services. */
export const SERVICE_PORT = 80;

/**
 * Names of everything made for one InferenceService, whose own name has at most 40 characters by a rule of its CRD. The
 * objects of a version carry its revision: they are never changed into another version's.
 */
export const predictorNames = (service: string) => ({
  revision: (revision: string): string => `${service}-${revision}`,
  route: service,
  adminToken: `${service}-admin`,
  networkPolicy: `${service}-predictor`,
});

export const predictorSelector = (service: string): Record<string, string> => ({
  [LABELS.component]: 'predictor',
  [LABELS.inferenceService]: service,
});

const owner = ({ apiVersion, kind, metadata: { name, uid } }: Stored<InferenceService>): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
});

/** Metadata of a child. With a revision it is one of that version's objects. */
export const predictorMeta = (infs: Stored<InferenceService>, name: string, revision?: string): ObjectMeta => ({
  name,
  namespace: infs.metadata.namespace ?? '',
  labels: {
    [LABELS.managedBy]: 'slipway',
    ...predictorSelector(infs.metadata.name),
    ...(revision === undefined ? {} : { [LABELS.revision]: revision }),
  },
  ownerReferences: [owner(infs)],
});

/** What tells the pods of one revision from all others: never changed once made, as a Deployment forbids it. */
export const revisionSelector = (service: string, revision: string): Record<string, string> => ({
  ...predictorSelector(service),
  [LABELS.revision]: revision,
});
