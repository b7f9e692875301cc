import { createHash } from 'node:crypto';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { EventNote, EventRecorder } from './contracts.ts';
import { isNotFound } from './errors.ts';
import { microTime } from './microTime.ts';
import type { Log, Meter } from './observe.ts';
import { keyOf, resource } from './resource.ts';
import type { KubeObject } from './wire.ts';

interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}
export interface Event extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
  regarding: Reference;
  series?: { count: number; lastObservedTime: string };
}
export const events = resource<Event>('events.k8s.io', 'v1', 'Event', 'events');

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Who says so: `slipway.dev/<controller>`. */
  readonly controller: string;
  /** The pod. */
  readonly instance: string;
}

interface Series {
  readonly event: Event;
  count: number;
  lastAt: Date;
  /** The count the server knows; 0: not yet created. */
  written: number;
  queued: boolean;
}

// The limits of events.k8s.io/v1 validation, and the six minutes after which client-go starts a new series.
const MAX_NOTE = 1024;
const MAX_NAME = 253;
const SERIES_MS = 6 * 60_000;
/** More than this is a storm: the oldest series are forgotten, and what waits beyond it is dropped and counted. */
const MAX_SERIES = 4096;
const MAX_WAITING = 1024;

/**
 * Tells what happened as events.k8s.io Events. The same thing said again within six minutes raises a count instead of
 * adding an object, however fast it repeats.
 */
export class Recorder implements EventRecorder {
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #waiting: Series[] = [];
  #sending = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  emit(about: KubeObject, note: EventNote): void {
    this.#log(about, note);
    const now = this.#options.clock.now();
    const id = JSON.stringify([about.kind, keyOf(about), about.metadata.uid, note]);
    const known = this.#series.get(id);
    const current = known !== undefined && now.getTime() - known.lastAt.getTime() < SERIES_MS;
    const series = current
      ? known
      : { event: this.#event(about, note, now, id), count: 0, lastAt: now, written: 0, queued: false };
    series.count += 1;
    series.lastAt = now;
    this.#series.delete(id); // to the end: the map is in order of last use
    this.#series.set(id, series);
    if (this.#series.size > MAX_SERIES) this.#series.delete(this.#series.keys().next().value ?? '');
    this.#enqueue(series);
  }

  /** Resolves when everything told so far was sent or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Events are gone after an hour: what was decided stands in the log too, in the same words and numbers. */
  #log({ kind, metadata: { namespace, name } }: KubeObject, { type, reason, action, message }: EventNote): void {
    const fields = { kind, namespace, name, reason, action };
    if (type === 'Warning') this.#options.log.warn(fields, message);
    else this.#options.log.info(fields, message);
  }

  #enqueue(series: Series): void {
    if (series.queued) return; // its count will be read when its turn comes
    if (this.#waiting.length >= MAX_WAITING) {
      this.#options.meter.eventLost();
      return;
    }
    series.queued = true;
    this.#waiting.push(series);
    if (this.#waiting.length === 1) this.#sending = this.#drain();
  }

  async #drain(): Promise<void> {
    for (let series = this.#waiting[0]; series !== undefined; series = this.#waiting[0]) {
      series.queued = false;
      await this.#send(series).catch((error: unknown) => {
        this.#options.meter.eventLost();
        this.#options.log.warn({ event: keyOf(series.event), message: (error as Error).message }, 'an Event was lost');
      });
      this.#waiting.shift();
    }
  }

  async #send(series: Series): Promise<void> {
    const { client } = this.#options;
    const { event, count } = series;
    if (count === series.written) return;
    const repeats = count > 1 ? { series: { count, lastObservedTime: microTime(series.lastAt) } } : {};
    if (series.written === 0) await client.create(events, { ...event, ...repeats });
    else {
      await client.merge(events, keyOf(event), repeats).catch(async (error: unknown) => {
        if (!isNotFound(error)) throw error;
        await client.create(events, { ...event, ...repeats }); // the server deletes Events after an hour
      });
    }
    series.written = count;
  }

  #event(about: KubeObject, note: EventNote, now: Date, id: string): Event {
    const { namespace, name } = keyOf(about);
    const suffix = createHash('sha256').update(`${id}${now.getTime()}`).digest('hex').slice(0, 16);
    const { uid } = about.metadata;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      // Events of cluster-scoped objects live in the namespace "default": the API server demands it.
      metadata: { name: `${name.slice(0, MAX_NAME - 17)}.${suffix}`, namespace: namespace || 'default' },
      eventTime: microTime(now),
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance,
      type: note.type,
      reason: note.reason,
      action: note.action,
      note: note.message.slice(0, MAX_NOTE),
      regarding: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace === '' ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
    };
  }
}
