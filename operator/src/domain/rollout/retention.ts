import { replicasOf } from './sizing.ts';
import type { RouteFacts, World } from './world.ts';

const routedBy = (route: RouteFacts): readonly string[] =>
  route.state === 'Programmed'
    ? [...Object.keys(route.weights), ...(route.routes ?? []).map(({ revision }) => revision)]
    : [];

/**
 * Revisions that may go: neither this pass nor the stored status wants them, and the gateway, as far as it told, sends
 * them nothing. Until the status without them is written, an operator that dies would come back to the old one, and
 * its rollback would lead to pods that are gone.
 */
export function removable(world: World, wanted: Readonly<Record<string, number>>): readonly string[] {
  const { revisions, route, status } = world;
  if (route.state === 'Pending' || route.state === 'Refused') return [];
  const needed = new Set([...Object.keys(replicasOf(world, status)), ...Object.keys(wanted), ...routedBy(route)]);
  return Object.keys(revisions).filter((revision) => !needed.has(revision));
}
