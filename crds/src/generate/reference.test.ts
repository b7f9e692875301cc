import { expect, test } from 'vitest';
import { settingsPage } from './reference.ts';

const rows = settingsPage()
  .text.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));

test('every setting of the model server says what it does', () => {
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter(([, , , , text]) => !text).map(([, field]) => field)).toEqual([]);
});

test('a setting that must be given inside its group is marked as such', () => {
  expect(rows.find(([, field]) => field === '`tls.certFile`')?.[3]).toBe('**required**');
});
