import { LABELS } from '@slipway/crds/contract';
import type { TrainingJob } from '../api/kinds.ts';
import type { ObjectMeta, OwnerReference, Stored } from '../kube/wire.ts';
import { childName, labelValue } from './childName.ts';

/** Longest name of an attempt's Job: pod hostnames are `<job>-<index>`, index up to 999, and must be DNS labels. */
const LONGEST_JOB_NAME = 63 - '-999'.length;

/** Names of everything made for one TrainingJob. They depend on its name alone, so a stale cache meets them, not a copy. */
export const childNames = (name: string) => ({
  attempt: (attempt: number): string => childName(name, `a${attempt}`, LONGEST_JOB_NAME),
  publish: childName(name, 'publish'),
  workspace: childName(name, 'workspace'),
  parameters: childName(name, 'parameters'),
  admin: childName(name, 'training-admin'),
  rendezvous: childName(name, 'training'),
});

/** Children go with the TrainingJob. Its ModelVersion has no such reference: deleting a job must not delete a model. */
export const ownerReference = ({ apiVersion, kind, metadata }: Stored<TrainingJob>): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
});

export type TrainingComponent = 'training' | 'publish';

export const trainingLabels = (name: string, component: TrainingComponent): Record<string, string> => ({
  [LABELS.managedBy]: 'slipway',
  [LABELS.component]: component,
  [LABELS.trainingJob]: labelValue(name),
});

/** The owner's whole name, also on pods: a label has room for 63 characters only. */
export const trainingAnnotations = (name: string): Record<string, string> => ({ [LABELS.trainingJob]: name });

export const trainingChildMeta = (
  tj: Stored<TrainingJob>,
  name: string,
  component: TrainingComponent = 'training',
): ObjectMeta => ({
  name,
  namespace: tj.metadata.namespace ?? '',
  labels: trainingLabels(tj.metadata.name, component),
  annotations: trainingAnnotations(tj.metadata.name),
  ownerReferences: [ownerReference(tj)],
});
