import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Owner, Request } from './request.ts';
import { levelOf, MS_A_LEVEL, WaitingLine } from './waitingLine.ts';

const nobody: Owner = { submit: () => {}, release: () => {}, cancel: () => {} };

function request(priority: number, arrivedAt: number, rows = 1): Request {
  const made = new Request(nobody, [], rows, 0, false, '', undefined, 0);
  made.level = levelOf(priority);
  made.arrivedAt = arrivedAt;
  return made;
}

function order(line: WaitingLine): Request[] {
  const all: Request[] = [];
  for (let next = line.first(); next !== undefined; next = line.following()) all.push(next);
  return all;
}

describe('the waiting line', () => {
  it.each([
    [undefined, 4],
    [0, 4],
    [1, 0],
    [5, 4],
    [9, 8],
    [4_000_000_000, 8],
  ])('takes priority %s as level %i', (priority, level) => {
    expect(levelOf(priority)).toBe(level);
  });

  it('puts the more urgent first, and who came first within a level', () => {
    const line = new WaitingLine();
    const [a, b, c, d] = [request(0, 1), request(9, 2), request(1, 3), request(0, 4)];
    for (const each of [a, b, c, d]) line.push(each);
    expect(order(line)).toEqual([c, a, d, b]);
    expect(line.leastUrgent()).toBe(b);
    expect(line.oldest()).toBe(1);
  });

  it('lets nobody starve: who has waited a second for each level between is overtaken by nothing new', () => {
    const line = new WaitingLine();
    const patient = request(9, 0);
    line.push(patient);
    line.push(request(1, 8 * MS_A_LEVEL - 1));
    expect(order(line)[0]).not.toBe(patient);
    const urgent = request(1, 8 * MS_A_LEVEL + 1);
    const later = new WaitingLine();
    later.push(patient);
    later.push(urgent);
    expect(order(later)).toEqual([patient, urgent]);
  });

  it('keeps its order and its counts whoever leaves', () => {
    const coming = fc.record({
      priority: fc.integer({ min: 0, max: 10 }),
      rows: fc.integer({ min: 1, max: 4 }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(coming), (people) => {
        const line = new WaitingLine();
        const all = people.map(({ priority, rows }, i) => request(priority, i, rows));
        for (const each of all) line.push(each);
        const left = all.filter((_, i) => people[i]?.leaves);
        for (const each of [...left, ...left]) line.remove(each);
        const rest = all.filter((each) => !left.includes(each));
        expect(order(line)).toEqual(rest.toSorted((a, b) => a.level - b.level || a.arrivedAt - b.arrivedAt));
        expect(line.size).toBe(rest.length);
        expect(line.rows).toBe(rest.reduce((sum, { rows }) => sum + rows, 0));
        expect(line.rowsAhead(4)).toBe(rest.filter(({ level }) => level <= 4).reduce((sum, { rows }) => sum + rows, 0));
      }),
    );
  });
});
