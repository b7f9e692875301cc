import { describe, expect, test } from 'vitest';
import { failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, judgedIn, type Scene, seen, served, shadowed, verdictIn, worldOf } from './builders.ts';
import { judgeGuards } from './judgeGuards.ts';

const guard = { name: 'answers', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } };
const bySegment = { name: 'answers', disagreement: { ...guard.disagreement, segment: 'country' } };
type Shadow = ReturnType<typeof shadowed>;
const scene = (shadow: Shadow | undefined, more: Partial<Scene> = {}): Scene => ({
  guards: [guard],
  phase: 'Shadowing',
  weight: 0,
  candidate: seen(served(500)),
  stable: seen(served(500), shadow === undefined ? {} : { shadow }),
  ...more,
});

describe('answers of the candidate beside the live ones', () => {
  test.each([
    ['that agree pass', shadowed(2000, 4), 'Pass'],
    ['that differ in a fifth fail', shadowed(200, 40), 'Fail'],
    ['that were hardly compared need more', shadowed(40, 1), 'NeedMore'],
    ['that never came count as different', shadowed(160, 0, { failed: 40 }), 'Fail'],
    ['that nobody compared leave it blind', shadowed(0, 0, { skipped: 30 }), 'Blind'],
    ['that the order has not reached yet leave it blind', undefined, 'Blind'],
  ])('%s', (_sentence, shadow, verdict) => expect(verdictIn(scene(shadow)).verdict).toBe(verdict));

  test('kserve#2978, kserve#2240: a model that is fast and wrong fails before any user saw an answer of it', () => {
    const examples = [
      { output: 'delayed', live: 'yes', candidate: 'no' },
      { output: 'delayed', live: 'no', candidate: 'yes' },
      { output: 'delayed', live: 'yes', candidate: 'maybe' },
    ];
    expect(verdictIn(scene(shadowed(200, 40, { examples })))).toMatchObject({
      verdict: 'Fail',
      rate: '20%',
      limit: '2%',
      n: 200,
      message: 'delayed: live yes, candidate no; delayed: live no, candidate yes',
    });
  });

  test('says how many copies got no answer, and how many were not made', () => {
    expect(verdictIn(scene(shadowed(160, 0, { failed: 40 }))).message).toBe('40 copies got no answer');
    expect(verdictIn(scene(shadowed(0, 0, { skipped: 30 }))).message).toContain('30 requests were not copied');
  });

  test('is blind where most pods of the stable version can not be read', () => {
    const stable = seen(served(500), { shadow: shadowed(2000, 4), answering: 1 });
    expect(verdictIn(scene(undefined, { stable, ready: 4 }))).toMatchObject({
      verdict: 'Blind',
      message: '1 of 4 ready pods of the stable version tell what they compared',
    });
  });

  test('counts disagreements that come in one burst for less', () => {
    const batches = { count: 10, squaredOverTotal: 100 };
    expect(verdictIn(scene(shadowed(1000, 100))).verdict).toBe('Fail');
    expect(verdictIn(scene(shadowed(1000, 100, { batches }))).verdict).toBe('NeedMore');
  });
});

describe('one segment', () => {
  const segments = {
    DE: { compared: 9000, disagreed: 9 },
    BR: { compared: 200, disagreed: 60 },
    FR: { compared: 3, disagreed: 3 },
  };
  const shadow = shadowed(9203, 72, { segments });

  test('that is wrong alone fails the guard, though all answers together pass', () => {
    expect(verdictIn(scene(shadow)).verdict).toBe('Pass');
    expect(verdictIn(scene(shadow, { guards: [bySegment] }))).toMatchObject({
      verdict: 'Fail',
      rate: '30%',
      n: 200,
      message: expect.stringMatching(/^worst segment BR: 30%/),
    });
  });

  test('that is just seldom holds nothing up', () => {
    const few = shadowed(9000, 9, {
      segments: { DE: { compared: 8990, disagreed: 9 }, FR: { compared: 10, disagreed: 0 } },
    });
    expect(verdictIn(scene(few, { guards: [bySegment] })).verdict).toBe('Pass');
  });
});

describe('after the shadow steps', () => {
  const shown = judgedIn(scene(shadowed(2000, 4)));
  const later = (more: Partial<Scene> = {}): Scene =>
    scene(undefined, { phase: 'Shifting', weight: 10, shown, ...more });

  test('its last verdict stays to be read', () => expect(judgedIn(later())).toEqual(shown));

  test('it holds and fails nothing, whatever it said', () => {
    for (const last of [shown, judgedIn(scene(shadowed(200, 40))), judgedIn(scene(undefined))]) {
      const [world, candidate] = [worldOf(later({ shown: last })), candidateOf(later({ shown: last }))];
      const guards = judgeGuards(world, candidate);
      expect(guards).toEqual(last);
      expect(failedGuard(world, candidate, guards)).toBeUndefined();
      expect(holdingGuard(world, candidate, guards)).toBeUndefined();
    }
  });

  test('another candidate does not inherit it', () => {
    const world = worldOf(later());
    expect(judgeGuards(world, { ...candidateOf(later({ shown: [] })), revision: 'rev-2' })).toEqual([]);
  });
});

test('a second guard that compares in another way sees nothing, as pods compare in one way', () => {
  const other = { name: 'close', disagreement: { ...guard.disagreement, compare: 'tolerance' as const } };
  const same = { name: 'strict', disagreement: { ...guard.disagreement, max: '0.01%' } };
  expect(judgedIn(scene(shadowed(2000, 4), { guards: [guard, other, same] }))).toMatchObject([
    { name: 'answers', verdict: 'Pass' },
    { name: 'close', verdict: 'Blind', message: 'the pods compare as guard answers asks' },
    { name: 'strict', verdict: 'NeedMore' },
  ]);
});
