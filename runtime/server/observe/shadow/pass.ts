import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What a copy carries as Authorization where callers need keys: the stable pod has no key, only the hashes of them.
 * The pods of a service share the admin token; the pass proves that the sender has it, for one order, without sending
 * it to an address that came with the order.
 */
export const shadowPass = (adminToken: string, order: string): string => {
  return `Shadow ${createHmac('sha256', adminToken).update(`slipway shadow ${order}`).digest('hex')}`;
};

/** Whether Authorization is the pass of the order that the header REQUEST_HEADERS.shadow names. */
export function isShadowPass(adminToken: string, order: string, authorization: string): boolean {
  if (adminToken === '') return false;
  const [right, given] = [Buffer.from(shadowPass(adminToken, order)), Buffer.from(authorization)];
  return right.length === given.length && timingSafeEqual(right, given);
}
