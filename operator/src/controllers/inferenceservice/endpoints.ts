import { type Children, revisionLabel } from './children.ts';

/** Kubernetes names the Service of a slice by this label. */
const SERVICE_NAME = 'kubernetes.io/service-name';

/**
 * Ready addresses that the EndpointSlices of a revision's Service name: what a gateway sends to. A pod of two address
 * families stands in two slices and counts once. undefined: there is no slice, so nobody tells.
 */
export function endpointsOf({ services, slices }: Children, revision: string): number | undefined {
  const service = services.find((object) => revisionLabel(object) === revision);
  const own = slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service?.metadata.name);
  if (service === undefined || own.length === 0) return undefined;
  const ready = own
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ targetRef, addresses }) => targetRef?.uid ?? addresses[0]);
  return new Set(ready).size;
}
