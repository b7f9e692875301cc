import { type Key, keyText } from '../../kube/resource.ts';

interface Group<T> {
  readonly name: string;
  readonly found: Map<string, T>;
  readonly running: Set<string>;
  readonly over: AbortController;
}

/**
 * Things that are found out once, beside the passes, and kept while a service is at the same group of them: what takes
 * time to find out holds no pass up. What could not be found out is tried again with the next question.
 */
export class Background<T> {
  readonly #groups = new Map<string, Group<T>>();
  readonly #changed: (service: Key) => void;

  constructor(changed: (service: Key) => void) {
    this.#changed = changed;
  }

  /** What is known of a thing; where it is not, it is being found out from now on. */
  get(
    service: Key,
    group: string,
    name: string,
    find?: (signal: AbortSignal) => Promise<T | undefined>,
  ): T | undefined {
    const own = this.#groupOf(service, group);
    const known = own.found.get(name);
    if (known === undefined && find !== undefined && !own.running.has(name)) void this.#run(service, own, name, find);
    return known;
  }

  forget(service: Key): void {
    this.#groups.get(keyText(service))?.over.abort();
    this.#groups.delete(keyText(service));
  }

  #groupOf(service: Key, name: string): Group<T> {
    const known = this.#groups.get(keyText(service));
    if (known?.name === name) return known;
    known?.over.abort();
    const fresh: Group<T> = { name, found: new Map(), running: new Set(), over: new AbortController() };
    this.#groups.set(keyText(service), fresh);
    return fresh;
  }

  async #run(service: Key, group: Group<T>, name: string, find: (signal: AbortSignal) => Promise<T | undefined>) {
    group.running.add(name);
    try {
      const found = await find(group.over.signal);
      if (found === undefined || group.over.signal.aborted) return;
      group.found.set(name, found);
      this.#changed(service);
    } catch {
      // Not now; the next question tries again.
    } finally {
      group.running.delete(name);
    }
  }
}
