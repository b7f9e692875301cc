import { unreadySince, withUnready } from '../../domain/rollout/unready.ts';
import type { RevisionFacts } from '../../domain/rollout/world.ts';
import { type Key, keyText } from '../../kube/resource.ts';

/**
 * Since when revisions have no ready pod, by our own clock and looks: conditions of pods bear the clocks of their nodes,
 * and a pod that is gone has none. An operator that starts anew counts anew.
 */
export class UnreadyTimes {
  readonly #since = new Map<string, ReadonlyMap<string, Date>>();

  /** Facts of this look, with the times. */
  look(service: Key, revisions: Readonly<Record<string, RevisionFacts>>, now: Date): Record<string, RevisionFacts> {
    const since = unreadySince(this.#since.get(keyText(service)) ?? new Map(), revisions, now);
    this.#since.set(keyText(service), since);
    return withUnready(revisions, since);
  }

  forget(service: Key): void {
    this.#since.delete(keyText(service));
  }
}
