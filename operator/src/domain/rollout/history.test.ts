import { describe, expect, test } from 'vitest';
import { carryOut, serving, shifting, specOf, targetOf } from './builders.ts';
import { brokenLink, sealOf } from './history.ts';
import { plan } from './plan.ts';
import { failing } from './planWorlds.ts';
import type { HistoryEntry, World } from './world.ts';

/** Decisions of as many rollouts as are asked for: each begins, and is called off by the spec. */
function historyOf(rollouts: number): readonly HistoryEntry[] {
  let world: World = { ...serving, spec: specOf({ guards: [] }) };
  for (let i = 0; i < rollouts; i += 1) {
    for (const minor of [1, 0]) {
      world = { ...world, target: targetOf(minor), now: new Date(world.now.getTime() + 60_000) };
      world = carryOut(world, plan(world));
    }
  }
  return world.status.history ?? [];
}
const at = (history: readonly HistoryEntry[], i: number): HistoryEntry => {
  const entry = history[i];
  if (entry === undefined) throw new Error(`there is no entry ${i}`);
  return entry;
};

describe('the history', () => {
  const history = historyOf(3);

  test('holds each decision with the hash of the one before, and no broken link', () => {
    expect(history.map(({ reason }) => reason)).toEqual(Array(3).fill(['RolloutStarted', 'RolloutAborted']).flat());
    expect(history.slice(1).map(({ previousHash }) => previousHash)).toEqual(
      history.slice(0, -1).map(({ hash }) => hash),
    );
    expect(brokenLink(history)).toBeUndefined();
  });

  test.each<[string, readonly HistoryEntry[], number]>([
    ['an entry that was changed', history.with(2, { ...at(history, 2), message: 'nothing happened' }), 2],
    [
      'an entry that was changed and sealed again',
      history.with(2, resealed({ ...at(history, 2), message: 'nothing happened' })),
      3,
    ],
    ['an entry that was taken out', history.toSpliced(2, 1), 2],
    ['an entry that was put in', history.toSpliced(2, 0, at(history, 0)), 2],
    ['entries in another order', history.with(1, at(history, 2)).with(2, at(history, 1)), 1],
  ])('shows %s', (_sentence, given, link) => {
    expect(brokenLink(given)).toBe(link);
  });

  test('keeps the last 32, and the chain holds without those before', () => {
    const long = historyOf(20);
    expect(long).toHaveLength(32);
    expect(at(long, 0).previousHash).not.toBe('');
    expect(brokenLink(long)).toBeUndefined();
  });

  test('of a release that had no hashes is chained with the next status, whether a decision is told or not', () => {
    const unchained = history.map(({ hash: _h, previousHash: _p, ...entry }) => entry as HistoryEntry);
    const old: World = { ...serving, status: { ...serving.status, history: unchained } };
    const quiet = plan(old).status.history ?? [];
    expect(quiet).toEqual(history);
    const told = plan({ ...old, target: targetOf(1) }).status.history ?? [];
    expect(told).toHaveLength(history.length + 1);
    expect(brokenLink(told)).toBeUndefined();
  });

  test('names the artifact that a rollback is about', () => {
    const entry = plan({ ...shifting, ...failing }).status.history?.at(-1);
    expect(entry).toMatchObject({ reason: 'RolledBack', digest: targetOf(1).digest });
  });
});

function resealed({ hash: _old, ...entry }: HistoryEntry): HistoryEntry {
  return { ...entry, hash: sealOf(entry) };
}
