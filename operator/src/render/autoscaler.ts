import type { HorizontalPodAutoscaler } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames } from './predictorChildren.ts';

/** Whether an autoscaler owns the number of pods. */
export const isAutoscaled = ({ spec }: InferenceService): boolean => {
  const { min, max, target } = spec.predictor.replicas;
  return target !== undefined && max !== undefined && max > min;
};

export interface Scaling {
  readonly min: number;
  readonly warm: boolean;
  /** Neither more nor fewer than min: the weights of a rollout are made of numbers of pods. */
  readonly exact?: boolean;
}

/**
 * Scales one revision between what the rollout asks for and the maximum; undefined where none was asked for. One that is
 * kept warm gets more pods when it needs them and loses none.
 */
export function autoscaler(
  infs: Stored<InferenceService>,
  revision: string,
  { min, warm, exact = false }: Scaling,
): HorizontalPodAutoscaler | undefined {
  const { max, target } = infs.spec.predictor.replicas;
  if (!isAutoscaled(infs) || max === undefined || target === undefined) return undefined;
  const name = predictorNames(infs.metadata.name).revision(revision);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: predictorMeta(infs, name, revision),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: min,
      maxReplicas: exact ? min : Math.max(max, min),
      ...(warm ? { behavior: { scaleDown: { selectPolicy: 'Disabled' } } } : {}),
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target.cpu } },
        },
      ],
    },
  };
}
