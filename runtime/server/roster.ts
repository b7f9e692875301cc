/** What can stand in one roster at a time. */
export interface Listed {
  /** Where it stands, -1 when it does not; the roster's alone to write. */
  place: number;
}

/**
 * A set for things that come and go by the ten thousand a second. V8's own Set grows into a new table again and again
 * when members come and go, and each old table points to the next: once one is in the old generation, every later one
 * stays until a full collection, and with it all that was a member then (measured: a third of all that was allocated).
 */
export class Roster<T extends Listed> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    if (member.place >= 0) return;
    member.place = this.#members.length;
    this.#members.push(member);
  }

  delete(member: T): void {
    const { place } = member;
    if (this.#members[place] !== member) return;
    const last = this.#members.pop() as T;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
  }

  /** The newest that this is true of. */
  find(is: (member: T) => boolean): T | undefined {
    return this.#members.findLast(is);
  }

  /** Those who stand in it now, in no order; they may leave during the walk. */
  [Symbol.iterator](): Iterator<T> {
    return this.#members.slice()[Symbol.iterator]();
  }
}
