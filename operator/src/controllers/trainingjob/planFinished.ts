import { goesAt } from '../../domain/training/expiry.ts';
import { settled } from '../../kube/outcome.ts';
import { stopRunning } from './fail.ts';
import { at } from './timers.ts';
import type { Action, Plan, World } from './world.ts';

/**
 * A finished job keeps its verdict, whatever becomes of its children: neither expiry nor a person brings a run back. It
 * asks for a pass at the very time it is to go (kubeflow/trainer#1533: it went hours late).
 */
export function keep(world: World): Plan {
  const { conditions = [], observedGeneration: _g, ...status } = world.tj.status ?? {};
  const goes = goesAt(world.tj);
  const isDue = goes !== undefined && goes <= world.now.getTime();
  const running = status.phase === 'Failed' ? stopRunning(world) : [];
  const actions: Action[] = isDue ? [...running, { kind: 'DeleteSelf' }] : running;
  const next = isDue ? settled : at(goes, world.now, 'the finished job is deleted');
  return { actions, status, observed: conditions, events: [], next };
}
