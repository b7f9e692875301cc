import { expect, test } from 'vitest';
import { numbersTable, withTable } from './numbers.ts';

const table = numbersTable([{ name: 'live', measurements: [{ what: 'cluster up', value: 31.2, unit: 's' }] }]);

test('every measurement is a row', () => {
  expect(table).toBe('| What | Measured on 2 shared cores |\n|---|---|\n| cluster up | 31.2 s |');
});

test('the table replaces the one before it and leaves the prose around it', () => {
  const page = '# Numbers\n\nBefore.\n\n<!-- bench: written by make bench -->\nold\n<!-- end of bench -->\n\nAfter.\n';
  const once = withTable(page, table);
  expect(once).toContain('Before.');
  expect(once).toContain('After.');
  expect(once).toContain(table);
  expect(once).not.toContain('old');
  expect(withTable(once, table)).toBe(once);
});

test('a page without the marks is refused, as writing would lose the prose', () => {
  expect(() => withTable('# Numbers\n', table)).toThrow('has lost its marks');
});
