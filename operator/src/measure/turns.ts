import type { PodAddress } from './source.ts';

/** Pods of all live rollouts together; who is forgotten is asked a little earlier than its turn, no more. */
const MOST_KNOWN = 10_000;

/**
 * The order in which pods are asked, for when there is not time for all: those that answered when last asked come
 * first, and cost next to nothing. The others, which may hang, take turns in what time is left.
 */
export class Turns {
  readonly #silent = new Map<string, number>();
  #turn = 0;

  order(pods: readonly PodAddress[]): readonly PodAddress[] {
    return pods.toSorted((a, b) => (this.#silent.get(a.uid) ?? 0) - (this.#silent.get(b.uid) ?? 0));
  }

  asked({ uid }: PodAddress): void {
    this.#turn += 1;
    this.#silent.set(uid, this.#turn);
    if (this.#silent.size > MOST_KNOWN) this.#silent.clear();
  }

  answered({ uid }: PodAddress): void {
    this.#silent.delete(uid);
  }
}
