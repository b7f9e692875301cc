import type { Node } from '../../api/builtin.ts';
import { lasting, type Obstacle, passing } from './obstacle.ts';
import { type Amounts, amountsOf, amountText } from './quantity.ts';

const isDevice = (resource: string): boolean => resource.includes('/');

/** Devices first: they are what a training job waits for. */
const inOrder = (needs: Amounts): [string, number][] =>
  Object.entries(needs)
    .filter(([, amount]) => amount > 0)
    .sort(([a], [b]) => Number(isDevice(b)) - Number(isDevice(a)));

/** What else of the same vendor the node offers: someone who wants a slice then sees that there are whole ones. */
function instead(resource: string, capacity: Amounts): string {
  const vendor = resource.slice(0, resource.indexOf('/') + 1);
  const others = Object.entries(capacity).flatMap(([name, n]) => (name.startsWith(vendor) && n > 0 ? [name] : []));
  return others.length === 0 ? '' : `, only ${others.sort().join(' and ')}`;
}

interface Amount {
  readonly resource: string;
  readonly wanted: number;
  readonly capacity: Amounts;
  readonly allocatable: number;
  readonly taken: number | undefined;
}

function obstacleOf({ resource, wanted, capacity, allocatable, taken }: Amount): Obstacle | undefined {
  const whole = capacity[resource] ?? allocatable;
  if (isDevice(resource) ? whole < wanted : allocatable < wanted)
    return lasting(
      'have',
      `${amountText(resource, isDevice(resource) ? whole : allocatable)} < ${wantedText(resource, wanted)}`,
    );
  if (allocatable < wanted) return passing('have', `${allocatable} of ${whole} ${resource} healthy`);
  if (taken === undefined || allocatable - taken >= wanted) return undefined;
  if (!isDevice(resource) && resource !== 'pods')
    return passing('have', `too little ${resource === 'cpu' ? 'CPU' : resource} left`);
  return taken >= allocatable
    ? passing('be', `full (${taken} of ${allocatable} ${resource} taken)`)
    : passing('have', `${allocatable - taken} of ${allocatable} ${resource} left < ${wanted}`);
}

/** Without the name where it is the number alone that differs. */
const wantedText = (resource: string, wanted: number): string => {
  const text = amountText(resource, wanted);
  return isDevice(resource) ? String(wanted) : text.replace(` of ${resource}`, '').replace(/ CPUs?$/, '');
};

/** Devices that a node has none of at all. */
export function absentDevices(needs: Amounts, { status }: Node): Obstacle[] {
  const capacity = amountsOf(status?.capacity ?? status?.allocatable);
  return inOrder(needs).flatMap(([resource]) =>
    isDevice(resource) && (capacity[resource] ?? 0) === 0
      ? [lasting('have', `no ${resource}${instead(resource, capacity)}`)]
      : [],
  );
}

/**
 * Resources that a node has too few of. `taken`: what its pods hold; undefined where they can't be listed, and then only
 * what the node has in all counts. Devices of which some are missing from `allocatable` are ill and may get well.
 */
export function roomObstacles(needs: Amounts, { status }: Node, taken: Amounts | undefined): Obstacle[] {
  const capacity = amountsOf(status?.capacity);
  const allocatable = amountsOf(status?.allocatable ?? status?.capacity);
  return inOrder(needs).flatMap(([resource, wanted]) => {
    if (resource === 'pods' && allocatable[resource] === undefined) return [];
    const amount = { resource, wanted, capacity, allocatable: allocatable[resource] ?? 0 };
    return obstacleOf({ ...amount, taken: taken && (taken[resource] ?? 0) }) ?? [];
  });
}
