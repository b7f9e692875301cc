import { MOST_PEERS, type PeersOrder, PORTS } from '@slipway/crds/contract';

interface Pod {
  readonly uid: string;
  readonly ip: string;
}

/** Longer than some polls of the drift watch, and short enough for an address that another pod has by then. */
const EXPIRES_SECONDS = 90;

/**
 * Whom a pod asks about a label whose request it does not remember: the pods after it in the list and round to those
 * before it, so that in a service with more pods than one may ask each is asked by as many.
 */
export function peersAmong(pods: readonly Pod[], { uid }: Pick<Pod, 'uid'>): PeersOrder {
  const at = pods.findIndex((pod) => pod.uid === uid);
  const others = [...pods.slice(at + 1), ...pods.slice(0, Math.max(at, 0))];
  return {
    urls: others.slice(0, MOST_PEERS).map(({ ip }) => `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.rest}`),
    expiresInSeconds: EXPIRES_SECONDS,
  };
}
