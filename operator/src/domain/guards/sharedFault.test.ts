import { describe, expect, test } from 'vitest';
import { failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, labels, latencies, type Scene, seen, served, tally, verdictIn, worldOf } from './builders.ts';
import { judgeGuards } from './judgeGuards.ts';

const guard = { name: 'errors', errors: { max: '1%' } };
const bad = seen(served(400, 120));

describe('a fault that both versions suffer', () => {
  test.each<[string, Omit<Scene, 'stable'>, Scene['stable'] & object]>([
    ['errors', { guards: [guard], candidate: bad }, seen(served(4000, 1200))],
    [
      'slow answers',
      {
        guards: [{ name: 'l', latency: { threshold: '60ms', quantile: 95 } }],
        candidate: seen(latencies({ 40: 100, 500: 100 })),
      },
      seen(latencies({ 40: 1000, 500: 1100 })),
    ],
    [
      'answers nobody can use',
      { guards: [{ name: 'i', invalidOutputs: { max: '1%' } }], candidate: seen(tally({ ok: 300, invalid: 100 })) },
      seen(tally({ ok: 3000, invalid: 1000 })),
    ],
    [
      'wrong answers',
      { guards: [{ name: 'a', accuracy: { min: '90%' } }], candidate: seen(labels(300, 200)) },
      seen(labels(3000, 2100)),
    ],
  ])('is not blamed on the candidate: %s', (_what, scene, stable) => {
    expect(verdictIn({ ...scene, stable })).toMatchObject({
      verdict: 'SharedFault',
      message: expect.stringContaining('the stable version suffers it too'),
    });
    expect(
      verdictIn({ ...scene, stable: seen(stable.sinceStep, { sinceStep: tally(), sinceRollout: tally() }) }).verdict,
    ).toBe('Fail');
  });

  test('holds, and neither fails nor goes on', () => {
    const scene = { guards: [guard], candidate: bad, stable: seen(served(4000, 1200)) };
    const [world, candidate] = [worldOf(scene), candidateOf(scene)];
    const guards = judgeGuards(world, candidate);
    expect(failedGuard(world, candidate, guards)).toBeUndefined();
    expect(holdingGuard(world, candidate, guards)?.name).toBe('errors');
    expect(holdingGuard(world, candidate, guards, 'Blind')).toBeUndefined();
  });

  test.each([
    ['the stable version fails less', seen(served(400, 300)), seen(served(4000, 400)), 10],
    ['the stable version is well', bad, seen(served(4000, 4)), 10],
    [
      'at a weight of 100 what stable did before is of another time',
      bad,
      seen(served(0), { sinceRollout: served(4000, 1200), lifetime: served(4000, 1200) }),
      100,
    ],
  ])('is the candidate’s own where %s', (_sentence, candidate, stable, weight) => {
    expect(verdictIn({ guards: [guard], candidate, stable, weight }).verdict).toBe('Fail');
  });

  test('is seen at a weight of 100 where stable still gets requests by header', () => {
    expect(verdictIn({ guards: [guard], candidate: bad, stable: seen(served(500, 150)), weight: 100 }).verdict).toBe(
      'SharedFault',
    );
  });

  test('is seen in this step though the rollout as a whole makes the candidate look worse', () => {
    const candidate = seen(served(3000, 900), { sinceRollout: served(3100, 900) });
    const stable = seen(served(3000, 900), { sinceRollout: served(90_000, 900) });
    expect(verdictIn({ guards: [guard], candidate, stable }).verdict).toBe('SharedFault');
  });
});
