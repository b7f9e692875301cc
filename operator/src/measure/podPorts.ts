import { ADMIN_PATHS, type EvidencePoll, PORTS } from '@slipway/crds/contract';
import type { FetchText } from './fetchText.ts';
import { inParallel } from './inParallel.ts';
import type { PodAddress } from './source.ts';

/** Pods of one service that are asked at the same time. */
export const FAN_OUT = 16;

const adminUrl = ({ ip }: PodAddress, path: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${path}`;

export const evidenceUrl = (pod: PodAddress): string => adminUrl(pod, ADMIN_PATHS.evidence);
export const baselineUrl = (pod: PodAddress): string => adminUrl(pod, ADMIN_PATHS.baseline);

/** Tells pods something without keeping what they answer. */
export function tellPods(
  fetchText: FetchText,
  pods: readonly PodAddress[],
  token: string,
  told: EvidencePoll,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(told);
  const tell = (pod: PodAddress) => async () => {
    await fetchText(evidenceUrl(pod), token, signal, body);
  };
  return inParallel(pods.map(tell), FAN_OUT);
}
