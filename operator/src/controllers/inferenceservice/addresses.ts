import type { InferenceService } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';
import { SERVICE_PORT } from '../../render/predictorChildren.ts';
import { type Children, revisionLabel } from './children.ts';
import type { AddressOf } from './orders.ts';

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/**
 * Addresses of the Services of revisions. The IP of a Service never changes while it exists, and a copy to it needs no
 * DNS: a name server that is slow or not reachable from a pod must not stop a shadow. A Service without one has a name.
 */
export const addressesOf =
  ({ metadata: { namespace = '' } }: Stored<InferenceService>, { services }: Children): AddressOf =>
  (revision) => {
    const service = services.find((object) => revisionLabel(object) === revision);
    if (service === undefined) return undefined;
    const ip = service.spec?.clusterIP ?? 'None';
    const host = ip === 'None' || ip === '' ? `${service.metadata.name}.${namespace}.svc` : hostOf(ip);
    return `http://${host}:${SERVICE_PORT}`;
  };
