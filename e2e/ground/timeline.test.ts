import { expect, test } from 'vitest';
import { momentLines } from './timeline.ts';

test('a moment shows the seconds since the start, the event and what to type', () => {
  const moment = { at: 12_345, what: 'Version 1.1.0 is asked for', see: 'kubectl get infs' };
  expect(momentLines(moment, 0)).toEqual(['   12.3s  Version 1.1.0 is asked for', '          $ kubectl get infs']);
});

test('a long moment wraps under itself within 80 columns', () => {
  const lines = momentLines({ at: 0, what: 'word '.repeat(40), see: undefined }, 0);
  expect(lines.length).toBeGreaterThan(1);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[1]).toMatch(/^ {10}word/);
});
