import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationText, parseDuration } from './duration.ts';

test.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['1d2h3m4s', 93_784_000],
])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(['', '5', '1.5h', '10s5m', 'P1D', '-5m'])('"%s" is refused with what to write', (text) =>
  expect(() => parseDuration(text)).toThrow('write whole units, largest first'),
);

test('what is written reads back as the same time', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (seconds) => {
      expect(parseDuration(durationText(seconds * 1000))).toBe(seconds * 1000);
    }),
  );
});
