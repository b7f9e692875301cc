import type { Accelerator } from '@slipway/crds';
import type { ResourceClaimTemplate } from '../api/devices.ts';
import type { ObjectMeta } from '../kube/wire.ts';

/**
 * Selectors go by the driver that a device came from, whichever it is: its own attributes and capacities stand under its
 * name. Where a driver does not say what is asked for, its devices do not match: reading what is absent would be an
 * error that stops the allocation of everything.
 */
const SAYS = (where: 'attributes' | 'capacity', name: string): string =>
  `device.driver in device.${where} && '${name}' in device.${where}[device.driver]`;
const ATTRIBUTE = (name: string): string => `device.attributes[device.driver].${name}`;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Products are written as feature discovery labels nodes, with - where the driver has a space. */
const ofProducts = (products: readonly string[]): string =>
  `${SAYS('attributes', 'productName')} && ${ATTRIBUTE('productName')}.replace(' ', '-') in [${products
    .map((product) => quoted(product.replaceAll(' ', '-')))
    .join(', ')}]`;

const withMemory = (least: string): string =>
  `${SAYS('capacity', 'memory')} && device.capacity[device.driver].memory.compareTo(quantity(${quoted(least)})) >= 0`;

const ofProfile = (profile: string): string =>
  `${SAYS('attributes', 'profile')} && ${ATTRIBUTE('profile')} == ${quoted(profile)}`;

/** CEL that a device must fulfil, one expression for each wish. */
export const deviceSelectors = ({ products = [], minMemory, mig }: Accelerator): string[] => [
  ...(products.length === 0 ? [] : [ofProducts(products)]),
  ...(minMemory === undefined ? [] : [withMemory(minMemory)]),
  ...(mig === undefined ? [] : [ofProfile(mig)]),
];

/** What each pod claims its accelerators by. Call it only for an accelerator with `claim`. */
export function resourceClaimTemplate(metadata: ObjectMeta, accelerator: Accelerator): ResourceClaimTemplate {
  const selectors = deviceSelectors(accelerator).map((expression) => ({ cel: { expression } }));
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata,
    spec: {
      spec: {
        devices: {
          requests: [
            {
              name: 'accelerator',
              exactly: {
                deviceClassName: accelerator.claim?.deviceClass ?? '',
                allocationMode: 'ExactCount',
                count: accelerator.count,
                ...(selectors.length === 0 ? {} : { selectors }),
              },
            },
          ],
        },
      },
    },
  };
}
