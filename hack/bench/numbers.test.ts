import { expect, test } from 'vitest';
import { type BenchResult, withResults } from './numbers.ts';

const page = (...rows: readonly string[]) =>
  [
    '# Numbers\n\nBefore.\n\n<!-- bench: written by make bench -->\n',
    ...['| What | Measured on 2 shared cores |', '|---|---|', ...rows],
    '\n<!-- end of bench -->\n\nAfter.\n',
  ].join('\n');

const live: BenchResult = {
  name: 'live',
  measurements: [
    { what: 'cluster up', value: 31.2, unit: 's' },
    { what: 'requests/s over the peer', value: 5, unit: '' },
  ],
};

test('every measurement is a row, a ratio without a blank behind it', () => {
  expect(withResults(page(), [live])).toBe(page('| cluster up | 31.2 s |', '| requests/s over the peer | 5 |'));
});

test('what was measured again takes its own row, and rows of other benches stay', () => {
  const before = page('| candidate ready | 3.03 s |', '| cluster up | 35 s |', '| ratio of long ago | 3.63  |');
  expect(withResults(before, [live])).toBe(
    page(
      '| candidate ready | 3.03 s |',
      '| cluster up | 31.2 s |',
      '| ratio of long ago | 3.63 |',
      '| requests/s over the peer | 5 |',
    ),
  );
});

test('nothing measured changes nothing', () => {
  const before = withResults(page(), [live]);
  expect(withResults(before, [])).toBe(before);
});

test('a page without the marks is refused, as writing would lose the prose', () => {
  expect(() => withResults('# Numbers\n', [live])).toThrow('has lost its marks');
});
