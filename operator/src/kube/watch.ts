import { type Clock, systemClock } from './clock.ts';
import { ApiError, fromStatus, type Status, unreachable } from './errors.ts';
import type { Resource } from './resource.ts';
import { asStored, pathOf } from './restClient.ts';
import type { Transport } from './transport.ts';
import type { KubeObject, Stored } from './wire.ts';

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  /** Nothing happened to our objects up to this version: keeps a quiet watch from expiring. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** Part of a collection: one namespace or all, and what the selectors match. */
export interface Scope {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}
export interface WatchOptions extends Scope {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  /** Ends the watch from the server's side, so that replicas spread over servers again. */
  readonly timeoutSeconds: number;
  /** A peer that says nothing for this long is gone (bookmarks come about once a minute). */
  readonly silenceMs?: number;
  readonly clock?: Clock;
}

/** Two missed bookmarks would be 120 s; one and a half is late enough not to blame a busy server. */
export const SILENCE_MS = 90_000;
const NEWLINE = 10;

/**
 * Nothing was heard for a while. Either the connection is half-open, which reports no error, or there is nothing to
 * tell: a server whose etcd tells no progress sends no bookmark of a kind that never changed. Watching again from the
 * same version tells the two apart, since a half-open connection does not answer that within its deadline and is left.
 */
export class WatchSilence extends Error {
  override readonly name = 'WatchSilence';
}

/** Whole lines of a byte stream, in order. What stands after the last newline was cut off and is no line. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8');
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}

/** The chunks as they come, giving up on a peer that fell silent. */
async function* audible(chunks: AsyncIterable<Uint8Array>, silence: AbortController, silenceMs: number, clock: Clock) {
  const give = (): void => silence.abort(new WatchSilence(`the watch was silent for ${silenceMs} ms`));
  let disarm = clock.after(silenceMs, give);
  try {
    for await (const chunk of chunks) {
      disarm();
      yield chunk;
      disarm = clock.after(silenceMs, give);
    }
  } finally {
    disarm();
  }
}

function parse<T extends KubeObject>(resource: Resource<T>, line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as { type: string; object: unknown };
  if (type === 'ERROR') throw fromStatus(object as Status, 500);
  if (type === 'BOOKMARK') return { type, resourceVersion: (object as KubeObject).metadata.resourceVersion ?? '' };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw new Error(`unknown watch event ${type}`);
  return { type, object: asStored(resource, object) };
}

/**
 * What happens to a collection after `resourceVersion`, one event at a time: the next line is read when the consumer
 * asks. Returns when the server ends the watch; throws ApiError for an ERROR line and for a broken connection, and
 * WatchSilence when nothing is heard for `silenceMs`.
 */
export async function* watch<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  { namespace, labelSelector, fieldSelector, resourceVersion, signal, timeoutSeconds, ...options }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { silenceMs = SILENCE_MS, clock = systemClock } = options;
  const silence = new AbortController();
  const chunks = await transport.stream({
    verb: 'watch',
    method: 'GET',
    path: pathOf(resource, namespace),
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timeoutSeconds),
      resourceVersion,
      labelSelector,
      fieldSelector,
    },
    signal: AbortSignal.any([signal, silence.signal]),
  });
  try {
    for await (const line of lines(audible(chunks, silence, silenceMs, clock))) yield parse(resource, line);
  } catch (cause) {
    signal.throwIfAborted();
    silence.signal.throwIfAborted();
    throw cause instanceof ApiError ? cause : unreachable(cause);
  }
}
