import type { InferenceServiceStatus } from '@slipway/crds';
import { type InferenceService, inferenceServices } from '@slipway/operator/api/kinds.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import type { Key } from '@slipway/operator/kube/resource.ts';

/** The service as it was when something about its rollout had changed. */
export interface Sighting {
  readonly at: number;
  readonly status: InferenceServiceStatus;
}
export interface Follower {
  readonly sightings: readonly Sighting[];
  stop(): Promise<void>;
}

const POLL_MS = 100;

/** What makes a sighting new: guard counts move each second and would drown the rest. */
const shape = ({ stable, candidate, traffic }: InferenceServiceStatus): string =>
  JSON.stringify([stable?.version, candidate?.version, candidate?.phase, candidate?.step, traffic?.programmed]);

/** Polls a service and keeps each change. `onChange` hears of it at once. */
export function follow(client: Client, key: Key, onChange: (service: InferenceService) => void): Follower {
  const sightings: Sighting[] = [];
  let before = '';
  let running = true;

  async function look(): Promise<void> {
    const service = await client.get(inferenceServices, key);
    const now = shape(service?.status ?? {});
    if (service?.status !== undefined && now !== before) {
      sightings.push({ at: Date.now(), status: service.status });
      onChange(service);
    }
    before = now;
  }
  const loop = (async () => {
    while (running) {
      // The API server may be busy for a moment; what was missed is seen at the next look.
      await look().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  })();
  return {
    sightings,
    stop: () => {
      running = false;
      return loop;
    },
  };
}
