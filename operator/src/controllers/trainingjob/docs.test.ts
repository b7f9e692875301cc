import { readFileSync } from 'node:fs';
import { FAILURE_CLASSES } from '@slipway/crds';
import { expect, test } from 'vitest';
import { DISRUPTIONS, FAILURE_RULES } from '../../domain/training/failurePolicy.ts';
import { TRAINING_RULES } from './plan.ts';

const page = readFileSync(new URL('../../../../docs/training.md', import.meta.url), 'utf8');

/** The first cells of the rows of the table under a heading. */
function column(heading: string): string[] {
  const lines = page.split('\n');
  const from = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const rows = lines.slice(from + 2);
  return rows.slice(0, rows.indexOf('')).map((row) => row.split('|')[1]?.trim() ?? '');
}

test('docs/training.md lists the rules of a pass, in their order', () => {
  expect(column('rule')).toEqual(TRAINING_RULES.map(({ name }) => name));
});

test('and those of what follows a failure', () => {
  expect(column('rule of what follows')).toEqual(FAILURE_RULES.map(({ name }) => name));
});

test('and every class of failure, with the budget that it is paid from', () => {
  expect(column('class')).toEqual(FAILURE_CLASSES.map((name) => `\`${name}\``));
  for (const name of DISRUPTIONS) expect(page).toMatch(new RegExp(`\\| \`${name}\` \\|[^|]*\\| a disruption`));
});
