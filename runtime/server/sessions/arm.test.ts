import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, isForTheOther } from './arm.ts';

const order = (changes: object = {}) =>
  ({
    id: 'r1-2',
    header: 'x-user-id',
    salt: 'r1',
    share: 1000,
    arm: 'stable',
    other: 'http://candidate:8080',
    expiresInSeconds: 5,
    ...changes,
  }) as const;
const users = Array.from({ length: 2000 }, (_, i) => `user-${i}`);
const candidates = (share: number) => users.filter((user) => isForTheOther(order({ share }), { 'x-user-id': user }));

describe('the bucket of a user', () => {
  test('is the first four bytes of the hash, big-endian, modulo 10000', () => {
    const hex = createHash('sha256').update('r1/alice').digest('hex').slice(0, 8);
    expect(bucketOf('r1', 'alice')).toBe(Number.parseInt(hex, 16) % 10_000);
    expect(['alice', 'bob', 'carol'].map((user) => bucketOf('r1', user))).toEqual([7474, 9930, 3322]);
  });

  test('is that of the bytes on the wire, whatever letters they are', () => {
    const wire = Buffer.from('müller').toString('latin1');
    const hex = createHash('sha256').update('r1/müller', 'utf8').digest('hex').slice(0, 8);
    expect(bucketOf('r1', wire)).toBe(Number.parseInt(hex, 16) % 10_000);
  });

  test('is another one under another salt: nobody is first at every rollout', () => {
    const moved = users.filter((user) => bucketOf('r1', user) < 1000 && bucketOf('r2', user) < 1000);
    expect(moved.length).toBeLessThan(60); // 20 expected of 200
  });
});

describe('the candidate’s users', () => {
  test('are as many as its share says', () => {
    expect(candidates(0)).toEqual([]);
    expect(candidates(10_000)).toHaveLength(2000);
    expect(candidates(1000).length).toBeGreaterThan(150); // 200 ± 3.7σ
    expect(candidates(1000).length).toBeLessThan(250);
  });

  test('flagger#1647, flagger#1532: a 10 % canary keeps the same 10 % of users, and raising it to 25 % keeps them in', () => {
    const at25 = new Set(candidates(2500));
    expect(candidates(1000).filter((user) => !at25.has(user))).toEqual([]);
    expect(at25.size).toBeGreaterThan(candidates(1000).length);
  });

  test('begin with the bucket below the share', () => {
    const at = (share: number) => isForTheOther(order({ share }), { 'x-user-id': 'alice' });
    expect([at(7474), at(7475)]).toEqual([false, true]); // bucket 7474
  });

  test('never leave while the share rises', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(10_000), fc.nat(10_000), (user, a, b) => {
        const isIn = (share: number) => isForTheOther(order({ share }), { 'x-user-id': user });
        expect(!isIn(Math.min(a, b)) || isIn(Math.max(a, b))).toBe(true);
      }),
    );
  });

  test('belong to one version only, whichever pod is asked', () => {
    const ofCandidate = new Set(candidates(2500));
    const passedBack = users.filter((user) =>
      isForTheOther(order({ share: 2500, arm: 'candidate' }), { 'x-user-id': user }),
    );
    expect(passedBack.sort()).toEqual(users.filter((user) => !ofCandidate.has(user)).sort());
  });
});

describe('is answered where it arrives:', () => {
  const everybody = order({ share: 10_000 });
  test.each([
    ['a request without the header', {}],
    ['an empty header', { 'x-user-id': '' }],
    ['what the other version passed on', { 'x-user-id': 'a', 'slipway-forwarded': 'r1-1' }],
    ['a copy for a shadow', { 'x-user-id': 'a', 'slipway-shadow': 'r1' }],
    ['a preview', { 'x-user-id': 'a', 'slipway-preview': 'candidate' }],
  ])('%s', (_, headers) => {
    expect(isForTheOther(everybody, headers)).toBe(false);
    expect(isForTheOther(everybody, { 'x-user-id': 'a' })).toBe(true);
  });

  test('what a route sent here by its headers, all of them', () => {
    const routed = order({ share: 10_000, except: [{ 'x-cohort': 'beta', 'x-region': 'eu' }] });
    const user = { 'x-user-id': 'a', 'x-cohort': 'beta' };
    expect(isForTheOther(routed, { ...user, 'x-region': 'eu' })).toBe(false);
    expect(isForTheOther(routed, { ...user, 'x-region': 'us' })).toBe(true);
    expect(isForTheOther(routed, user)).toBe(true);
  });
});
