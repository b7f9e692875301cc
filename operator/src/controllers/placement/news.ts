import type { Cluster } from '../../domain/placement/explain.ts';
import type { ClusterView } from './cluster.ts';

const STALE_MS = 30_000;
const UNSEEN: Cluster = { nodes: [], unseen: true };

/** One look at the cluster: what it showed last, when, and who waits for the next. */
interface Look {
  seen?: { readonly cluster: Cluster; readonly at: number };
  readonly waiting: Set<() => void>;
  isUnderWay: boolean;
}

/**
 * The cluster as it was seen last, for passes that may not wait: to list the pods of a thousand nodes takes seconds, and
 * a rollout is judged twice a second meanwhile. Who finds it unseen or old is called once it was seen anew.
 */
export class ClusterNews {
  readonly #view: Pick<ClusterView, 'lookWithPods'>;
  readonly #looks = new Map<boolean, Look>();

  constructor(view: Pick<ClusterView, 'lookWithPods'>) {
    this.#view = view;
  }

  /** With `devices` also those that can be claimed. undefined: nothing was seen yet. */
  seen(devices: boolean, now: Date, signal: AbortSignal, changed: () => void): Cluster | undefined {
    const look = this.#looks.get(devices) ?? { waiting: new Set(), isUnderWay: false };
    this.#looks.set(devices, look);
    if (look.seen === undefined || now.getTime() - look.seen.at >= STALE_MS) {
      look.waiting.add(changed);
      if (!look.isUnderWay) void this.#look(look, devices, now, signal);
    }
    return look.seen?.cluster;
  }

  /**
   * Nobody awaits it, so it never rejects: that would end the operator. A look that failed, or whose pass was given up,
   * leaves what was seen before, and counts as a look all the same: those who wait would ask again at once, without end.
   */
  async #look(look: Look, devices: boolean, now: Date, signal: AbortSignal): Promise<void> {
    look.isUnderWay = true;
    const before = look.seen?.cluster;
    const found = await Promise.try(() => this.#view.lookWithPods(now, signal, devices)).catch(() => UNSEEN);
    const isLost = found === UNSEEN || signal.aborted;
    look.seen = { cluster: isLost ? (before ?? UNSEEN) : found, at: now.getTime() };
    look.isUnderWay = false;
    const waiting = [...look.waiting];
    look.waiting.clear();
    for (const changed of waiting) changed();
  }
}
