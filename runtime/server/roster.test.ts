import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Listed, Roster } from './roster.ts';

it('holds what a set would hold, whatever comes and goes', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)));
  fc.assert(
    fc.property(steps, (taken) => {
      const all: Listed[] = Array.from({ length: 10 }, () => ({ place: -1 }));
      const roster = new Roster<Listed>();
      const expected = new Set<Listed>();
      for (const [comes, which] of taken) {
        const member = all[which] as Listed;
        if (comes) roster.add(member);
        else roster.delete(member);
        if (comes) expected.add(member);
        else expected.delete(member);
        expect(roster.size).toBe(expected.size);
        expect(new Set(roster)).toEqual(expected);
      }
      expect([...roster].every((member) => expected.has(member))).toBe(true);
    }),
  );
});

it('can be walked while its members leave', () => {
  const roster = new Roster<Listed>();
  const all: Listed[] = Array.from({ length: 5 }, () => ({ place: -1 }));
  for (const member of all) roster.add(member);
  const seen: Listed[] = [];
  for (const member of roster) {
    seen.push(member);
    roster.delete(member);
  }
  expect(seen).toEqual(all);
  expect(roster.size).toBe(0);
});

it('does not drop the one at the place of a stranger', () => {
  const [ours, stranger] = [new Roster<Listed>(), new Roster<Listed>()];
  const a: Listed = { place: -1 };
  const b: Listed = { place: -1 };
  ours.add(a);
  stranger.add(b);
  ours.delete(b);
  expect(ours.size).toBe(1);
});
