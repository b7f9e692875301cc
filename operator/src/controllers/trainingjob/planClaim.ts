import { settled } from '../../kube/outcome.ts';
import { observedStatus } from './observe.ts';
import { underWay } from './outlook.ts';
import type { Plan, World } from './world.ts';

/** Asks for a version: that writes the status under a lock of its own. */
export const claim = (world: World): Plan => ({
  claimVersion: true,
  actions: [],
  status: observedStatus(world),
  observed: underWay('ClaimingVersion', `Choosing the version of ${world.tj.spec.model.name} to make.`),
  events: [],
  next: settled,
});
