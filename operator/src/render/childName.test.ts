import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childName, labelValue } from './childName.ts';

const ownerName = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/);

test('a short name is kept readable', () => {
  expect(childName('flights-nightly', 'a0')).toBe('flights-nightly-a0');
});

test.each([
  ['flights-1.4.0', 'verify'],
  ['2024-run', 'a0'],
  ['x'.repeat(80), 'publish'],
])('%s gets a hash, as it can not be part of a DNS label', (owner, suffix) => {
  expect(childName(owner, suffix)).toMatch(new RegExp(`^[a-z][-a-z0-9]*-[0-9a-f]{8}-${suffix}$`));
});

test('every owner gets a valid name, and no two owners share one', () => {
  fc.assert(
    fc.property(ownerName, ownerName, fc.constantFrom('a0', 'a100', 'publish'), (a, b, suffix) => {
      expect(childName(a, suffix, 58)).toMatch(/^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$/);
      expect(labelValue(a)).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/);
      if (a !== b) expect(childName(a, suffix, 58)).not.toBe(childName(b, suffix, 58));
    }),
  );
});
