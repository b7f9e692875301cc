import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyGate, type BodyTicket } from './bodyGate.ts';

const BUDGET = 100;

test('bodies enter in turn, and a small one does not overtake a large one', () => {
  const gate = new BodyGate(BUDGET);
  const entered: string[] = [];
  const first = gate.ask(80, () => entered.push('first'));
  gate.ask(50, () => entered.push('large'));
  gate.ask(10, () => entered.push('small'));
  expect([entered, gate.waiting]).toEqual([['first'], 2]);
  first.giveBack();
  expect([entered, gate.held]).toEqual([['first', 'large', 'small'], 60]);
});

test('a body larger than the budget passes alone', () => {
  const gate = new BodyGate(BUDGET);
  const entered: string[] = [];
  const small = gate.ask(1, () => entered.push('small'));
  const huge = gate.ask(1000, () => entered.push('huge'));
  gate.ask(1, () => entered.push('next'));
  expect(entered).toEqual(['small']);
  small.giveBack();
  expect(entered).toEqual(['small', 'huge']);
  huge.giveBack();
  expect(entered).toEqual(['small', 'huge', 'next']);
});

test('a caller that goes while it waits lets the next one through, and is never let in', () => {
  const gate = new BodyGate(BUDGET);
  const entered: string[] = [];
  gate.ask(60, () => entered.push('first'));
  const gone = gate.ask(60, () => entered.push('gone'));
  gate.ask(40, () => entered.push('next'));
  gone.giveBack();
  expect(entered).toEqual(['first', 'next']);
});

test('bodies that keep the server busy go in by few, and one that comes slowly makes room for others', () => {
  const gate = new BodyGate(1_000_000, 300_000);
  const entered: string[] = [];
  const first = gate.ask(200_000, () => entered.push('first'));
  gate.ask(200_000, () => entered.push('second'));
  gate.ask(200_000, () => entered.push('third'));
  gate.ask(200_000, () => entered.push('fourth'));
  expect(entered).toEqual(['first', 'second']);
  gate.look();
  expect(entered, 'nobody is slow at once').toEqual(['first', 'second']);
  first.came(200_000);
  gate.look();
  expect(entered, 'the first is here, the second is slow').toEqual(['first', 'second', 'third']);
  gate.look();
  gate.look();
  expect(entered, 'the third is slow too').toEqual(['first', 'second', 'third', 'fourth']);
});

test('slow bodies are let in up to the whole budget and no further', () => {
  const gate = new BodyGate(500_000, 100_000);
  for (let i = 0; i < 10; i++) gate.ask(100_000, () => undefined);
  for (let i = 0; i < 20; i++) gate.look();
  expect([gate.held, gate.waiting]).toEqual([500_000, 5]);
});

type Step =
  | { readonly kind: 'ask'; readonly bytes: number }
  | { readonly kind: 'giveBack' | 'shrink' | 'come'; readonly which: number }
  | { readonly kind: 'look' };

const which = fc.nat(30);
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), bytes: fc.integer({ min: 1, max: 130 }) }),
    fc.record({ kind: fc.constantFrom('giveBack' as const, 'shrink' as const, 'come' as const), which }),
    fc.record({ kind: fc.constant('look' as const) }),
  ),
  { maxLength: 80 },
);

/** Drives a gate and remembers, beside it, what each body asked for and holds. */
class Crowd {
  readonly gate = new BodyGate(BUDGET, 60);
  readonly entered: number[] = [];
  readonly left = new Set<number>();
  readonly bytes: number[] = [];
  readonly tickets: BodyTicket[] = [];

  step(step: Step): void {
    if (step.kind === 'ask') this.ask(step.bytes);
    else if (step.kind === 'look') this.gate.look();
    else if (this.tickets.length > 0) this[step.kind](step.which % this.tickets.length);
  }

  ask(bytes: number): void {
    const body = this.bytes.push(bytes) - 1;
    this.tickets.push(this.gate.ask(bytes, () => this.entered.push(body)));
  }

  come(body: number): void {
    this.tickets[body]?.came(20);
  }

  giveBack(body: number): void {
    this.tickets[body]?.giveBack();
    this.left.add(body);
  }

  shrink(body: number): void {
    const half = Math.floor((this.bytes[body] ?? 0) / 2);
    if (this.entered.includes(body) && !this.left.has(body)) this.bytes[body] = half;
    this.tickets[body]?.shrink(half);
  }

  get inside(): readonly number[] {
    return this.entered.filter((body) => !this.left.has(body));
  }
}

test('whatever happens: in turn, never over budget but alone, every byte accounted for, nobody forgotten', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const crowd = new Crowd();
      for (const step of all) {
        crowd.step(step);
        const held = crowd.inside.reduce((sum, body) => sum + (crowd.bytes[body] as number), 0);
        expect(crowd.gate.held).toBe(held);
        if (held > BUDGET) expect(crowd.inside.filter((body) => (crowd.bytes[body] as number) > 0)).toHaveLength(1);
      }
      expect(crowd.entered).toEqual(crowd.entered.toSorted((a, b) => a - b));
      crowd.tickets.forEach((_, body) => {
        if (crowd.entered.includes(body)) crowd.giveBack(body);
      });
      while (crowd.inside.length > 0) for (const body of crowd.inside) crowd.giveBack(body);
      expect([crowd.gate.held, crowd.gate.waiting]).toEqual([0, 0]);
    }),
  );
});
