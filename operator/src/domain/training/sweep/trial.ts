import { ANNOTATIONS, API_VERSION, LABELS } from '@slipway/crds/contract';
import type { TrainingJob } from '../../../api/kinds.ts';
import type { Stored } from '../../../kube/wire.ts';
import type { Parameters } from './trials.ts';

/**
 * One trial: the job of the sweep with its parameters, which publishes only when it is asked to. It belongs to the sweep
 * and goes with it.
 */
export function trialJob(sweep: Stored<TrainingJob>, name: string, parameters: Parameters): TrainingJob {
  const { apiVersion, kind, metadata, spec } = sweep;
  const { sweep: _search, ttlAfterFinished: _kept, ...own } = spec;
  return {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: {
      name,
      namespace: metadata.namespace ?? '',
      labels: { [LABELS.managedBy]: 'slipway', [LABELS.sweep]: metadata.name },
      ...(metadata.annotations === undefined ? {} : { annotations: ours(metadata.annotations) }),
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }],
    },
    spec: { ...own, parameters: { ...own.parameters, ...parameters }, publish: { ...own.publish, when: 'Asked' } },
  };
}

/** Why it was trained and what it follows are told of the version that the best trial makes. */
const PASSED_ON: readonly string[] = [ANNOTATIONS.trigger, ANNOTATIONS.parent];
const ours = (annotations: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([name]) => PASSED_ON.includes(name)));
