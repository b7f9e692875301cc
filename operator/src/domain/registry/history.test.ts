import { describe, expect, test } from 'vitest';
import { after } from '../../../test/trainingBuilders.ts';
import { brokenLink } from '../chain.ts';
import type { StageEntry } from './facts.ts';
import { historyWith } from './history.ts';

const STAGES = ['Candidate', 'Staging', 'Production', 'Archived'];

/** As many changes of stage as are asked for. */
const historyOf = (moves: number): StageEntry[] => {
  let history: StageEntry[] = [];
  for (let i = 0; i < moves; i += 1) {
    const [from = '', to = ''] = [STAGES[i % 4], STAGES[(i + 1) % 4]];
    history = historyWith(history, { from, to, reason: 'Promoted', by: 'alice', message: 'ok' }, after(i));
  }
  return history;
};

describe('mlflow#2169: what was in Production, since when and by whose word', () => {
  const history = historyOf(4);

  test('is kept, each entry with the hash of the one before', () => {
    expect(history.map(({ from, to, by }) => `${from} ${to} ${by}`)).toEqual([
      'Candidate Staging alice',
      'Staging Production alice',
      'Production Archived alice',
      'Archived Candidate alice',
    ]);
    expect(history.slice(1).map(({ previousHash }) => previousHash)).toEqual(
      history.slice(0, -1).map(({ hash }) => hash),
    );
    expect(brokenLink(history)).toBeUndefined();
  });

  test.each<[string, (all: StageEntry[]) => StageEntry[], number]>([
    ['another name', (all) => all.map((entry, i) => (i === 1 ? { ...entry, by: 'mallory' } : entry)), 1],
    ['another time', (all) => all.map((entry, i) => (i === 2 ? { ...entry, at: '2020-01-01T00:00:00Z' } : entry)), 2],
    ['an entry taken out', (all) => all.toSpliced(1, 1), 1],
    ['an entry put in', (all) => all.toSpliced(1, 0, all[3] as StageEntry), 1],
  ])('shows %s', (_, change, link) => expect(brokenLink(change(history))).toBe(link));
});

test('the last 32 are kept, and their chain holds without those before', () => {
  const long = historyOf(40);
  expect(long).toHaveLength(32);
  expect(long[0]?.previousHash).toMatch(/^[0-9a-f]{64}$/);
  expect(brokenLink(long)).toBeUndefined();
});

test('names and sentences are cut to what the API takes', () => {
  const long = { from: '', to: 'Candidate', reason: 'Registered', by: 'x'.repeat(900), message: 'y'.repeat(900) };
  const [entry] = historyWith([], long, after(0));
  expect([entry?.by?.length, entry?.message.length]).toEqual([256, 512]);
});

test('a sentence that is cut within a character is sealed as the server keeps it', () => {
  const move = { from: '', to: 'Candidate', reason: 'Registered', message: `x${'🚀'.repeat(300)}` };
  const [entry] = historyWith([], move, after(0));
  expect(entry?.message.isWellFormed()).toBe(true);
  expect(brokenLink(entry === undefined ? [] : [entry])).toBeUndefined();
});
