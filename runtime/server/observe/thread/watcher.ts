import { Room } from '../room.ts';
import { sampleOf } from '../samples/sample.ts';
import { openSampleSink, type SampleSink } from '../samples/sampleSink.ts';
import { Shadow } from '../shadow/shadow.ts';
import type { FromWatcher, Parcel, ToWatcher, WatchedModel, WatcherStart } from './messages.ts';

export interface WatcherDependencies {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly random: () => number;
  readonly say: (message: FromWatcher) => void;
}

interface Watched {
  readonly identity: WatchedModel['identity'];
  readonly shadow: Shadow;
  readonly room: Room;
}

/** Counts are told so often at most. */
const TELL_EVERY_MS = 100;

/** What the watcher thread does: compares copies with a candidate, and writes samples. */
export class Watcher {
  readonly #start: WatcherStart;
  readonly #deps: WatcherDependencies;
  readonly #sink: SampleSink | undefined;
  readonly #shadowRoom: Room;
  readonly #sampleRoom: Room;
  readonly #models = new Map<number, Watched>();
  #telling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(start: WatcherStart, deps: WatcherDependencies) {
    this.#start = start;
    this.#deps = deps;
    this.#sink = start.samples && openSampleSink(start.samples, deps.random);
    // Bounds are kept by who takes; this side only gives back.
    this.#shadowRoom = new Room(0, 0, start.shadowRoom);
    this.#sampleRoom = new Room(0, 0, start.sampleRoom);
  }

  hear(message: Exclude<ToWatcher, { kind: 'close' }>): void {
    if (message.kind === 'parcels') for (const parcel of message.parcels) this.#take(parcel);
    else if (message.kind === 'model') this.#watch(message.key, message.model);
    else if (message.kind === 'forget') this.#forget(message.key);
    else this.#models.get(message.key)?.shadow.follow(message.order, message.authorization);
    this.#tellSoon();
  }

  /** Flushes the samples; bounded. */
  async close(): Promise<void> {
    for (const { shadow } of this.#models.values()) shadow.close();
    await this.#sink?.close();
    this.#closed = true;
    clearTimeout(this.#telling);
    this.#tell();
  }

  #watch(key: number, model: WatchedModel): void {
    const { shadow: settings, hashKey } = this.#start;
    const room = new Room(0, 0, model.room);
    const allow = (copies: number) => room.limit(copies);
    const shadow = new Shadow(model.shadowed, { settings, hashKey, allow, now: this.#deps.now });
    this.#models.set(key, { identity: model.identity, shadow, room });
  }

  #forget(key: number): void {
    this.#models.get(key)?.shadow.close();
    this.#models.delete(key);
  }

  #take(parcel: Parcel): void {
    const model = this.#models.get(parcel.key);
    if (parcel.sample) {
      if (model) this.#sink?.put(sampleOf(model.identity, parcel));
      this.#sampleRoom.give(parcel.bytes);
    }
    if (!parcel.shadow) return;
    const released = () => {
      model?.room.give(parcel.bytes);
      this.#shadowRoom.give(parcel.bytes);
      this.#tellSoon();
    };
    if (model) model.shadow.offer(parcel, released);
    else released();
  }

  #tellSoon(): void {
    this.#telling ??= setTimeout(() => this.#tell(), TELL_EVERY_MS);
  }

  #tell(): void {
    this.#telling = undefined;
    for (const [key, { shadow }] of this.#models) {
      const { evidence } = shadow;
      if (evidence) this.#deps.say({ kind: 'shadow', key, evidence });
    }
    if (!this.#sink) return;
    const { counts } = this.#sink;
    this.#deps.say({ kind: 'samples', counts });
    // What waits is sent without a message that would set off a telling.
    if (counts.waiting > 0 && !this.#closed) this.#tellSoon();
  }
}
