import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accessBy } from './access.ts';
import { callerAt } from './address.ts';
import { KeyRing, parseKeys } from './apiKeys.ts';
import { RateLimit } from './rateLimit.ts';

const keysOf = (...names: string[]): KeyRing =>
  new KeyRing(
    parseKeys(names.map((name) => `${name} sha256:${createHash('sha256').update(name).digest('hex')}`).join('\n')),
  );
const once = () => new RateLimit({ requestsPerSecond: 0.4, burst: 1 });
const rules = { keys: undefined, rate: undefined, now: () => 0 };

test('without keys and rate there is nothing to ask', () => {
  expect(accessBy(rules)).toBeUndefined();
});

test('a right key is let in; none and a wrong one are told how to send one', () => {
  const access = accessBy({ ...rules, keys: keysOf('web') });
  expect(access?.admit('Bearer web', '10.0.0.1')).toBeUndefined();
  for (const header of [undefined, 'Bearer wrong']) {
    expect(access?.admit(header, '10.0.0.1')).toMatchObject({
      status: 401,
      message: 'Send an API key of this server as "Authorization: Bearer <key>".',
      headers: { 'www-authenticate': 'Bearer realm="slipway"' },
    });
  }
});

describe('the rate is counted', () => {
  test('for each key, wherever it comes from', () => {
    const access = accessBy({ ...rules, keys: keysOf('web', 'batch'), rate: once() });
    expect(access?.admit('Bearer web', '10.0.0.1')).toBeUndefined();
    expect(access?.admit('Bearer web', '10.0.0.2')).toMatchObject({
      status: 429,
      message: 'Too many requests: come again in 3 seconds.',
      headers: { 'retry-after': '3' },
    });
    expect(access?.admit('Bearer batch', '10.0.0.1')).toBeUndefined();
  });

  test('for each address where there are no keys', () => {
    const access = accessBy({ ...rules, rate: once() });
    expect(access?.admit(undefined, '10.0.0.1')).toBeUndefined();
    expect(access?.admit(undefined, '10.0.0.2')).toBeUndefined();
    expect(access?.admit('Bearer any', '10.0.0.1')?.status).toBe(429);
  });

  test('for whoever guesses keys, so that guessing is slow and does not spend the rate of a key', () => {
    const access = accessBy({ ...rules, keys: keysOf('web'), rate: once() });
    expect(access?.admit('Bearer guess1', '10.0.0.1')?.status).toBe(401);
    expect(access?.admit('Bearer guess2', '10.0.0.1')?.status).toBe(429);
    expect(access?.admit('Bearer web', '10.0.0.1')).toBeUndefined();
  });
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1:2:3:4:5', '2001:db8:0:1'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('address %s counts as %s', (address, caller) => {
  expect(callerAt(address)).toBe(caller);
});
