import { createHash } from 'node:crypto';
import type { InferenceServiceSpec } from '@slipway/crds';

/** Everything that the pods of one version run. Two services' versions with equal revision specs are the same thing. */
export interface RevisionSpec {
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  /** Where the artifact lies. Not part of the identity: the digest names the content wherever it is. */
  readonly uri: string;
  /** Secret of its store. Like what follows no part of the identity: none of it changes what the pods serve. */
  readonly secret?: string;
  /** ConfigMap with the public key that must have signed it. */
  readonly signedBy?: { readonly name: string; readonly key: string };
  /** Its size, once it was verified: what pods may fetch. */
  readonly bytes?: number;
  readonly predictor: Omit<InferenceServiceSpec['predictor'], 'replicas'>;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** JSON with sorted keys and without absent or empty fields, so that `placement: {}` and no placement are equal. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .map(([key, field]) => [key, field, canonicalJson(field)] as const)
    .filter(([, field, text]) => !isEmpty(field) && text !== '{}' && text !== '[]')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, , text]) => `${JSON.stringify(key)}:${text}`);
  return `{${fields.join(',')}}`;
}

/**
 * Identity of a revision: ten hex digits of a hash of our own spec. Fields are picked by name and never taken whole, so
 * a field that a later release adds with a default changes no hash, and an upgrade restarts no pod. It is never taken
 * over the rendered pods, which every release may render differently.
 */
export function revisionOf({ model, predictor }: RevisionSpec): string {
  const { resources, accelerator, placement, batching, limits, auth } = predictor;
  const identity = {
    model: { name: model.name, version: model.version, digest: model.digest },
    resources: { requests: resources?.requests, limits: resources?.limits },
    accelerator: {
      resource: accelerator?.resource,
      count: accelerator?.count,
      products: accelerator?.products,
      minMemory: accelerator?.minMemory,
      mig: accelerator?.mig,
      capacity: accelerator?.capacity,
      claim: { deviceClass: accelerator?.claim?.deviceClass },
    },
    placement: {
      nodeSelector: placement?.nodeSelector,
      tolerations: placement?.tolerations,
      priorityClassName: placement?.priorityClassName,
      schedulerName: placement?.schedulerName,
      runtimeClassName: placement?.runtimeClassName,
    },
    batching: { maxSize: batching?.maxSize, maxDelay: batching?.maxDelay },
    limits: { maxBodyBytes: limits?.maxBodyBytes, maxQueue: limits?.maxQueue, timeout: limits?.timeout },
    auth: { secretRef: { name: auth?.secretRef.name } },
  };
  return createHash('sha256').update(canonicalJson(identity)).digest('hex').slice(0, 10);
}
