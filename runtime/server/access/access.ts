import { RequestError } from '../requestError.ts';
import { callerAt } from './address.ts';
import type { KeyRing } from './apiKeys.ts';
import type { RateLimit } from './rateLimit.ts';

/** Who may ask, and how often. One instance serves all protocols, so that a caller's rate is one. */
export interface Access {
  /**
   * Undefined lets the request in; otherwise 401 or 429 with its headers. `authorization` is the header (or metadata)
   * as it came, `address` that of the peer. Called once a request, before its body is read. Costs no promise.
   */
  admit(authorization: string | undefined, address: string | undefined): RequestError | undefined;
}

export interface AccessRules {
  /** Undefined: everybody may ask. */
  readonly keys: KeyRing | undefined;
  readonly rate: RateLimit | undefined;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

const UNAUTHORIZED = new RequestError(401, 'Send an API key of this server as "Authorization: Bearer <key>".', {
  'www-authenticate': 'Bearer realm="slipway"',
});

/**
 * Access by these rules; undefined when there are none, so that the hot path asks nothing. Where there are keys, the
 * rate is counted for each key's name, and for the address of whoever has none: guessing keys has a rate too.
 */
export function accessBy({ keys, rate, now }: AccessRules): Access | undefined {
  if (!keys && !rate) return undefined;
  return {
    admit(authorization, address) {
      const owner = keys?.ownerOf(authorization);
      const caller = owner === undefined ? `@${callerAt(address ?? '')}` : owner;
      const waitMs = rate?.take(caller, now()) ?? 0;
      if (waitMs > 0) return tooOften(waitMs);
      return keys && owner === undefined ? UNAUTHORIZED : undefined;
    },
  };
}

const tooOften = (waitMs: number): RequestError => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const sentence = `Too many requests: come again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
  return new RequestError(429, sentence, { 'retry-after': String(seconds) });
};
