import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { PREVIEW_HEADER, REQUEST_HEADERS, type SessionOrder } from '@slipway/crds/contract';

const BUCKETS = 10_000;

/**
 * Where a user stands among all users, from 0 to 9999: the first four bytes of SHA-256("<salt>/<value>"). Rising shares
 * therefore only ever add users to the candidate (flagger#1532, #1647: a cookie or a draw anew at each step moves them).
 * `value` is the header as node:http gives it, a character a byte, and is hashed as the bytes that came.
 */
export function bucketOf(salt: string, value: string): number {
  return hash('sha256', Buffer.from(`${salt}/${value}`, 'latin1'), 'buffer').readUInt32BE(0) % BUCKETS;
}

/** Whether this request is the other arm's. What was passed on, copied, or sent here by a route stays. */
export function isForTheOther(order: SessionOrder, headers: IncomingHttpHeaders): boolean {
  const value = headers[order.header];
  if (typeof value !== 'string' || value === '') return false;
  if (headers[REQUEST_HEADERS.forwarded] !== undefined || headers[REQUEST_HEADERS.shadow] !== undefined) return false;
  if (headers[PREVIEW_HEADER.name] === PREVIEW_HEADER.value || isRouted(order, headers)) return false;
  const arm = bucketOf(order.salt, value) < order.share ? 'candidate' : 'stable';
  return arm !== order.arm;
}

const isRouted = ({ except = [] }: SessionOrder, headers: IncomingHttpHeaders): boolean =>
  except.some((route) => Object.entries(route).every(([name, value]) => headers[name] === value));
