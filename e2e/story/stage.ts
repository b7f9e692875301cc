import type { Key } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import type { Ground } from '../ground/ground.ts';
import type { Tell } from '../ground/timeline.ts';

/** Where a story plays: one namespace of the cluster. */
export interface Stage {
  readonly ground: Ground;
  readonly namespace: string;
  readonly tell: Tell;
}

/** Applies as a user's `kubectl apply --server-side` would. */
export const FIELD_MANAGER = 'slipway-e2e';

export const keyIn = ({ namespace }: Stage, object: KubeObject | string): Key => ({
  namespace,
  name: typeof object === 'string' ? object : object.metadata.name,
});

/** What a user types to see an object of ours. */
export const slipwayCommand = ({ namespace }: Stage, verb: string, target: string): string =>
  `kubectl slipway ${verb} ${target} -n ${namespace}`;
