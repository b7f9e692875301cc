import { describe, expect, it } from 'vitest';
import { InlineGate } from './inlineGate.ts';

const LIMIT = 0.1;

/** A gate in a time of its own. */
class Gate {
  now = 0;
  readonly stopped: number[] = [];
  readonly #gate = new InlineGate(LIMIT, (ms) => this.stopped.push(ms));

  allows(rows: number): boolean {
    return this.#gate.allows(rows, this.now);
  }

  ranAway(rows: number, ms: number): this {
    this.#gate.ranAway(rows, ms);
    return this;
  }

  ranHere(rows: number, ms: number, times = 1): this {
    for (let i = 0; i < times; i += 1) this.#gate.ranHere(rows, ms, this.now);
    return this;
  }
}

describe('the gate to the calling thread', () => {
  it('stays shut until a run elsewhere was short', () => {
    const gate = new Gate();
    expect(gate.allows(1)).toBe(false);
    expect(gate.ranAway(1, 3).allows(1)).toBe(false);
    expect(gate.ranAway(1, 0.08).allows(1)).toBe(true);
  });

  it('tries more rows here only where they can take twenty limits at most', () => {
    const gate = new Gate().ranAway(1, 0.05).ranHere(1, 0.04);
    expect(gate.allows(32)).toBe(true);
    expect(gate.allows(64)).toBe(false);
    expect(gate.ranHere(32, 0.05).allows(64)).toBe(true);
  });

  it('shuts for a size whose runs here take longer than the limit, and for that size alone', () => {
    const gate = new Gate().ranAway(1, 0.05).ranHere(1, 0.02).ranHere(16, 0.3, 8);
    expect(gate.allows(16)).toBe(false);
    expect(gate.allows(1)).toBe(true);
  });

  it('tries such a size again now and then', () => {
    const gate = new Gate().ranHere(16, 0.3, 8);
    const tries = Array.from({ length: 400 }, () => gate.allows(16)).filter((allowed) => allowed);
    expect(tries).toHaveLength(2);
    expect(gate.ranHere(16, 0.02).allows(16)).toBe(true);
    gate.ranHere(64, 3, 8);
    expect(
      Array.from({ length: 400 }, () => gate.allows(64)),
      'but not one that is far too slow',
    ).not.toContain(true);
  });

  it('forgives cold first runs', () => {
    const gate = new Gate().ranAway(1, 0.05).ranHere(1, 1.5, 7);
    expect(gate.allows(1)).toBe(true);
    expect(gate.stopped).toEqual([]);
    expect(gate.ranHere(1, 0.01, 20).allows(1)).toBe(true);
  });

  it('follows a model that has become slow', () => {
    const gate = new Gate().ranHere(1, 0.02, 20);
    expect(gate.ranHere(1, 0.2, 20).allows(1)).toBe(true);
    expect(gate.ranHere(1, 0.2, 80).allows(1)).toBe(false);
  });

  it('shuts for a while, and says so, when runs are long again and again; longer each time', () => {
    const gate = new Gate().ranAway(1, 0.05).ranHere(1, 0.02, 20);
    for (const pause of [1000, 2000, 4000]) {
      gate.ranHere(1, 30, 3);
      expect(gate.allows(1)).toBe(true);
      gate.ranHere(1, 30).ranHere(2, 0.02);
      expect(gate.allows(1)).toBe(false);
      gate.now += pause - 1;
      expect(gate.allows(1)).toBe(false);
      gate.now += 1;
      expect(gate.allows(1)).toBe(true);
      gate.ranHere(1, 0.02);
    }
    expect(gate.stopped).toEqual([30, 30, 30]);
    gate.now += 600_001;
    gate.ranHere(1, 30, 4);
    gate.now += 1000;
    expect(gate.allows(1), 'after a long good time the pause is short again').toBe(true);
  });

  it('shuts for a model of which every tenth run is long', () => {
    const gate = new Gate().ranAway(1, 0.05);
    for (let i = 0; i < 20; i += 1) gate.ranHere(1, 0.02, 9).ranHere(1, 50);
    expect(gate.stopped.length).toBeGreaterThan(0);
  });

  it('does not take a busy machine for a slow model', () => {
    const gate = new Gate().ranAway(1, 0.05);
    for (let i = 0; i < 200; i += 1) gate.ranHere(1, 0.02, 15).ranHere(1, 4);
    expect(gate.allows(1)).toBe(true);
    expect(gate.stopped).toEqual([]);
  });

  it('never opens with a limit of zero', () => {
    const never = new InlineGate(0, () => {});
    never.ranAway(1, 0);
    expect(never.allows(1, 0)).toBe(false);
  });
});
