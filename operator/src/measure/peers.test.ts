import { evidencePollSchema } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { peersAmong } from './peers.ts';

const pods = (n: number) => Array.from({ length: n }, (_, i) => ({ uid: `u${i}`, ip: `10.0.0.${i}` }));

test('a pod asks all others and not itself', () => {
  expect(peersAmong(pods(3), { uid: 'u1' }).urls).toEqual(['http://10.0.0.2:8080', 'http://10.0.0.0:8080']);
  expect(peersAmong(pods(1), { uid: 'u0' }).urls).toEqual([]);
});

test('of many pods each asks as many as the pods allow, and each is asked as often', () => {
  const asked = pods(100).flatMap((pod) => peersAmong(pods(100), pod).urls);
  const byUrl = Object.values(Object.groupBy(asked, (url) => url));
  expect(byUrl.map((urls) => urls?.length)).toEqual(Array(100).fill(64));
  expect(evidencePollSchema.safeParse({ peers: peersAmong(pods(100), { uid: 'u7' }) }).success).toBe(true);
});

test('an address of IPv6 is one of a URL', () => {
  const two = [
    { uid: 'a', ip: 'fd00::1' },
    { uid: 'b', ip: 'fd00::2' },
  ];
  expect(peersAmong(two, { uid: 'a' }).urls).toEqual(['http://[fd00::2]:8080']);
  expect(evidencePollSchema.safeParse({ peers: peersAmong(two, { uid: 'a' }) }).success).toBe(true);
});
