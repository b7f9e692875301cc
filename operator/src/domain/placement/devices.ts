import type { Accelerator } from '@slipway/crds';
import type { ResourceClaim, ResourceSlice } from '../../api/devices.ts';
import { lasting, type Obstacle, passing } from './obstacle.ts';
import { bytesText, quantityOf } from './quantity.ts';

/** A device that claims are granted from, as its driver describes it. */
export interface SeenDevice {
  readonly product: string | undefined;
  readonly memory: number | undefined;
  readonly profile: string | undefined;
  readonly claimed: boolean;
}

type Device = NonNullable<NonNullable<ResourceSlice['spec']>['devices']>[number];

const idOf = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`;

function seen({ attributes = {}, capacity = {} }: Device, claimed: boolean): SeenDevice {
  const memory = capacity['memory']?.value;
  return {
    product: attributes['productName']?.string?.replaceAll(' ', '-'),
    memory: memory === undefined ? undefined : quantityOf(memory),
    profile: attributes['profile']?.string,
    claimed,
  };
}

/** Only the newest generation of a pool counts: older slices are on their way out. */
function current(slices: readonly ResourceSlice[]): readonly ResourceSlice[] {
  const newest = new Map<string, number>();
  for (const { spec } of slices)
    newest.set(spec.pool.name, Math.max(newest.get(spec.pool.name) ?? 0, spec.pool.generation));
  return slices.filter(({ spec }) => spec.pool.generation === newest.get(spec.pool.name));
}

/**
 * Devices by the node they are part of. Undefined where some belong to no single node: who can reach those is more than
 * we look at.
 */
export function devicesByNode(
  slices: readonly ResourceSlice[],
  claims: readonly ResourceClaim[],
): ReadonlyMap<string, readonly SeenDevice[]> | undefined {
  const taken = new Set(
    claims.flatMap(({ status }) =>
      (status?.allocation?.devices?.results ?? []).map(({ driver, pool, device }) => idOf(driver, pool, device)),
    ),
  );
  const found = new Map<string, SeenDevice[]>();
  for (const { spec } of current(slices)) {
    if (spec.nodeName === undefined) return undefined;
    const devices = (spec.devices ?? []).map((device) =>
      seen(device, taken.has(idOf(spec.driver, spec.pool.name, device.name))),
    );
    found.set(spec.nodeName, [...(found.get(spec.nodeName) ?? []), ...devices]);
  }
  return found;
}

const distinct = (values: readonly (string | undefined)[]): string =>
  [...new Set(values.map((value) => value ?? 'unknown'))].sort().join(' and ');

/**
 * What keeps a claim from being granted by the devices of a node: of the wrong product, too small, not so cut, too few,
 * or claimed by others. The selectors of the DeviceClass are not evaluated, so a node that passes may yet have none.
 */
export function deviceObstacles(
  { count, products = [], minMemory, mig }: Accelerator,
  devices: readonly SeenDevice[],
): Obstacle[] {
  if (devices.length === 0) return [lasting('have', 'no devices to claim')];
  const right = devices.filter(({ product }) => products.length === 0 || products.includes(product ?? ''));
  if (right.length === 0)
    return [lasting('be', `${distinct(devices.map(({ product }) => product))}, not ${products.join(' or ')}`)];
  const cut = right.filter(({ profile }) => mig === undefined || profile === mig);
  if (cut.length === 0) return [lasting('have', `no ${mig} slices to claim`)];
  const least = minMemory === undefined ? 0 : quantityOf(minMemory);
  const large = cut.filter(({ memory }) => minMemory === undefined || (memory ?? 0) >= least);
  if (large.length === 0)
    return [lasting('have', `${bytesText(Math.max(...cut.map(({ memory = 0 }) => memory)))} < ${bytesText(least)}`)];
  if (large.length < count) return [lasting('have', `${large.length} such devices < ${count}`)];
  const free = large.filter(({ claimed }) => !claimed).length;
  if (free >= count) return [];
  return free === 0
    ? [passing('be', `full (${large.length} of ${large.length} devices claimed)`)]
    : [passing('have', `${free} of ${large.length} devices left < ${count}`)];
}
