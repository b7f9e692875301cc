import { expect, test } from 'vitest';
import { after } from '../../../test/trainingBuilders.ts';
import { registered } from './builders.ts';
import { currentOf, since } from './current.ts';
import { historyWith } from './history.ts';

const [old, young] = [
  registered('1.3.0', 'Production', { second: 1 }),
  registered('1.4.0', 'Production', { second: 9 }),
];

test('of two versions in Production that which came last is current, whatever its number', () => {
  expect(currentOf([old, young])).toBe(young);
  const back = registered('1.3.0', 'Production', { second: 20 });
  expect(currentOf([young, back])).toBe(back);
});

test('when the last one leaves, the one before is current again', () => {
  expect(currentOf([old, registered('1.4.0', 'Archived', { second: 30 })])).toBe(old);
});

test('of two that came in the same second the newer is: 1.10.0 and not 1.9.0', () => {
  const [nine, ten] = [registered('1.9.0', 'Production'), registered('1.10.0', 'Production')];
  expect(currentOf([ten, nine])).toBe(ten);
  expect(currentOf([nine, ten])).toBe(ten);
});

test('a version that is being deleted is not', () => {
  const leaving = { ...young, metadata: { ...young.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(currentOf([old, leaving])).toBe(old);
});

test('what a version calls itself does not count', () => {
  const boaster = registered('1.5.0', 'Staging', { second: 99, status: { current: true } });
  expect(currentOf([old, boaster])).toBe(old);
});

test('none is where nothing is in Production', () => {
  expect(currentOf([registered('1.0.0', 'Staging')])).toBeUndefined();
  expect(currentOf([])).toBeUndefined();
});

test('the end of its files moves no version', () => {
  const entry = { from: 'Production', to: 'Production', reason: 'FilesDeleted', message: '' };
  const history = historyWith(old.status?.history ?? [], entry, after(50));
  expect(since({ stage: 'Production', history })).toBe(since(old.status ?? {}));
});
