import { request } from 'undici';
import { CLOUD_EVENT, type CloudEvent } from './cloudEvent.ts';

/**
 * What became of an event. Taken. Refused: it will never be taken, `why` says what the sink answered. Later: not taken
 * now, to be told again, after `afterMs` where the sink said so.
 */
export type Delivery =
  | { readonly kind: 'Taken' }
  | { readonly kind: 'Refused'; readonly why: string }
  | { readonly kind: 'Later'; readonly why: string; readonly afterMs?: number };

/** Never rejects, unless `signal` aborts. */
export type Deliver = (sink: string, event: CloudEvent, signal: AbortSignal) => Promise<Delivery>;

/** Of 4xx, those that mean the time and not the event (RFC 9110 §15.5.9, RFC 6585 §4). */
const LATER = [408, 429];

export function deliveryOf(status: number, retryAfter: string | undefined): Delivery {
  if (status >= 200 && status < 300) return { kind: 'Taken' };
  const why = `it answered ${status}`;
  if (status >= 300 && status < 500 && !LATER.includes(status)) return { kind: 'Refused', why };
  return { kind: 'Later', why, ...(/^\d{1,6}$/.test(retryAfter ?? '') && { afterMs: Number(retryAfter) * 1000 }) };
}

/** Posts an event in structured mode, and waits for an answer for so long. Follows no redirect: the sink is who was named. */
export const postWithin =
  (patienceMs: number): Deliver =>
  async (sink, event, signal) => {
    try {
      const { statusCode, headers, body } = await request(sink, {
        method: 'POST',
        headers: { 'content-type': CLOUD_EVENT },
        body: JSON.stringify(event),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      body.on('error', () => undefined);
      await body.dump({ limit: 64 * 1024 });
      const after = headers['retry-after'];
      return deliveryOf(statusCode, typeof after === 'string' ? after : undefined);
    } catch (error) {
      signal.throwIfAborted();
      const { code, name } = error as NodeJS.ErrnoException;
      return { kind: 'Later', why: name === 'TimeoutError' ? `no answer within ${patienceMs} ms` : (code ?? name) };
    }
  };
