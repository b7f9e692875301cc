import { describe, expect, it } from 'vitest';
import { InlineGate } from './inlineGate.ts';

const LIMIT = 0.1;

function gate() {
  const stopped: number[] = [];
  return { gate: new InlineGate(LIMIT, (ms) => stopped.push(ms)), stopped };
}

describe('the gate to the calling thread', () => {
  it('stays shut until a run elsewhere was short', () => {
    const { gate: shut } = gate();
    expect(shut.allows(1)).toBe(false);
    shut.ranAway(1, 3);
    expect(shut.allows(1)).toBe(false);
    shut.ranAway(1, 0.08);
    expect(shut.allows(1)).toBe(true);
  });

  it('tries more rows here only where they can take five limits at most', () => {
    const { gate: open } = gate();
    open.ranAway(1, 0.05);
    open.ranHere(1, 0.01, undefined);
    expect(open.allows(32)).toBe(true);
    expect(open.allows(64)).toBe(false);
    open.ranHere(32, 0.014, undefined);
    expect(open.allows(64)).toBe(true);
  });

  it('shuts for a size whose runs here take longer than the limit, and for that size alone', () => {
    const { gate: open } = gate();
    open.ranAway(1, 0.05);
    open.ranHere(1, 0.02, undefined);
    open.ranHere(16, 0.3, undefined);
    expect(open.allows(16)).toBe(false);
    expect(open.allows(1)).toBe(true);
  });

  it('forgives a cold first run', () => {
    const { gate: open } = gate();
    open.ranAway(1, 0.05);
    open.ranHere(1, 0.09, undefined);
    for (let i = 0; i < 20; i += 1) open.ranHere(1, 0.01, undefined);
    expect(open.allows(1)).toBe(true);
  });

  it('shuts for good, and says so once, when runs take five limits of this thread again and again', () => {
    const { gate: open, stopped } = gate();
    open.ranAway(1, 0.05);
    for (let i = 0; i < 3; i += 1) open.ranHere(1, 0.6, 0.6);
    expect(open.allows(1)).toBe(false);
    expect(stopped).toEqual([0.6]);
    open.ranAway(1, 0.01);
    expect(open.allows(1)).toBe(false);
  });

  it('shuts at the second run that takes a hundred limits', () => {
    const { gate: open, stopped } = gate();
    open.ranAway(1, 0.05);
    open.ranHere(1, 50, undefined);
    expect(open.doubts).toBe(true);
    open.ranHere(1, 50, 50);
    expect(stopped).toEqual([50]);
  });

  it('does not take a busy machine for a slow model', () => {
    const { gate: open, stopped } = gate();
    open.ranAway(1, 0.05);
    for (let i = 0; i < 1000; i += 1) {
      open.ranHere(1, 0.02, 0.02);
      if (i % 10 === 0) open.ranHere(1, 4, 0.02);
    }
    expect(open.allows(1)).toBe(true);
    expect(stopped).toEqual([]);
  });

  it('never opens with a limit of zero', () => {
    const never = new InlineGate(0, () => {});
    never.ranAway(1, 0);
    expect(never.allows(1)).toBe(false);
  });
});
