import type { InferenceServiceStatus } from '@slipway/crds';
import { LABELS } from '@slipway/crds/contract';
import { type InferenceService, inferenceServices } from '@slipway/operator/api/kinds.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { type Key, resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';

interface Route extends KubeObject {
  spec: { rules?: { backendRefs?: { name: string; weight?: number }[] }[] };
}
export const httpRoutes = resource<Route>('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes');

/** The service as it was when something about its rollout had changed. */
export interface Sighting {
  readonly at: number;
  readonly status: InferenceServiceStatus;
}
export interface Follower {
  readonly sightings: readonly Sighting[];
  /** When the route was last seen to lose a backend: the one write of a rollback, or the end of a promotion. */
  readonly routeClosedAt: number | undefined;
  stop(): Promise<void>;
}

const POLL_MS = 100;

/** What makes a sighting new: guard counts move each second and would drown the rest. */
const shape = ({ stable, candidate, traffic }: InferenceServiceStatus): string =>
  JSON.stringify([stable?.version, candidate?.version, candidate?.phase, candidate?.step, traffic?.programmed]);

const backends = (route: Route): number =>
  new Set((route.spec.rules ?? []).flatMap((rule) => (rule.backendRefs ?? []).map((b) => b.name))).size;

/** Polls a service and its route, and keeps each change. `onChange` hears of it at once. */
export function follow(client: Client, key: Key, onChange: (service: InferenceService) => void): Follower {
  const sightings: Sighting[] = [];
  let routeClosedAt: number | undefined;
  let before = { shape: '', backends: 0 };
  let running = true;

  async function look(): Promise<void> {
    const labelSelector = `${LABELS.inferenceService}=${key.name}`;
    const [service, routes] = await Promise.all([
      client.get(inferenceServices, key),
      client.list(httpRoutes, key.namespace, { labelSelector }),
    ]);
    const now = { shape: shape(service?.status ?? {}), backends: routes.reduce((sum, r) => sum + backends(r), 0) };
    if (now.backends < before.backends) routeClosedAt = Date.now();
    if (service?.status !== undefined && now.shape !== before.shape) {
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
    get routeClosedAt() {
      return routeClosedAt;
    },
    stop: () => {
      running = false;
      return loop;
    },
  };
}
