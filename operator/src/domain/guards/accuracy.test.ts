import { describe, expect, test } from 'vitest';
import { failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, inOnes, judgedIn, labels, type Scene, seen, served, verdictIn, worldOf } from './builders.ts';
import { judgeGuards } from './judgeGuards.ts';

const min = { name: 'labels', accuracy: { min: '90%' } };
const worseBy = { name: 'labels', accuracy: { worseBy: '2%' } };
const stable = seen(labels(9500, 500));

describe('accuracy', () => {
  test.each([
    ['much above the limit passes', labels(970, 30), 'Pass'],
    ['below it fails', labels(300, 200), 'Fail'],
    ['a few labels are no verdict', labels(15, 3), 'NeedMore'],
    ['no label yet is no verdict, and no blindness', served(500), 'NeedMore'],
  ])('as a limit of its own: %s', (_sentence, counts, verdict) =>
    expect(verdictIn({ guards: [min], candidate: seen(counts), stable }).verdict).toBe(verdict),
  );

  test.each([
    ['as right passes', labels(19_000, 1000), 'Pass'],
    ['five points lower fails', labels(9000, 1000), 'Fail'],
    ['no label yet is no verdict', served(500), 'NeedMore'],
  ])('against the stable version: %s', (_sentence, counts, verdict) =>
    expect(verdictIn({ guards: [worseBy], candidate: seen(counts), stable }).verdict).toBe(verdict),
  );

  test('is shown as people know it: the share that is right', () => {
    expect(verdictIn({ guards: [min], candidate: seen(labels(300, 200)), stable })).toMatchObject({
      rate: '60%',
      low: expect.stringMatching(/^5\d/),
      high: expect.stringMatching(/^6\d/),
      limit: '90%',
      n: 500,
    });
    expect(verdictIn({ guards: [worseBy], candidate: seen(labels(9000, 1000)), stable })).toMatchObject({
      rate: '5%',
      limit: '2%',
      message: '90% right against 95% of the stable version',
    });
  });

  test('counts labels by the rollout, as they come long after the step that answered', () => {
    const candidate = seen(labels(0, 0), { sinceRollout: labels(300, 200) });
    expect(verdictIn({ guards: [min], candidate, stable })).toMatchObject({ verdict: 'Fail', n: 500 });
  });

  test('takes what is known of the stable version from its life where none of its labels came since', () => {
    const before = seen(served(500), { lifetime: labels(9500, 500) });
    expect(verdictIn({ guards: [worseBy], candidate: seen(labels(9000, 1000)), stable: before }).verdict).toBe('Fail');
  });

  test('does not call labels that come in bursts as many opinions', () => {
    const burst = { wrong: { count: 10, squaredOverTotal: 100 } };
    expect(verdictIn({ guards: [min], candidate: seen(labels(800, 200)), stable }).verdict).toBe('Fail');
    expect(verdictIn({ guards: [min], candidate: seen(labels(800, 200, { batches: burst })), stable }).verdict).toBe(
      'NeedMore',
    );
    expect(
      verdictIn({ guards: [min], candidate: seen(labels(800, 200, { batches: { wrong: inOnes(1000, 200) } })), stable })
        .verdict,
    ).toBe('Fail');
  });

  test('says what to do where no label has come', () => {
    expect(verdictIn({ guards: [min], candidate: seen(served(500)), stable }).message).toContain(
      '/slipway/v1/feedback',
    );
  });

  test('is blind where most pods can not be read', () => {
    const scene = { guards: [min], candidate: seen(labels(970, 30), { answering: 1 }), ready: 5, stable };
    expect(verdictIn(scene).verdict).toBe('Blind');
  });
});

describe('while labels are still to come', () => {
  const acts = (scene: Omit<Scene, 'guards' | 'stable'>) => {
    const whole = { guards: [min], stable, ...scene };
    const [world, candidate] = [worldOf(whole), candidateOf(whole)];
    const guards = judgeGuards(world, candidate);
    return {
      fails: failedGuard(world, candidate, guards) !== undefined,
      holds: holdingGuard(world, candidate, guards) !== undefined,
    };
  };
  const none = seen(served(500));

  test.each<[string, Scene['phase'], number, { fails: boolean; holds: boolean }]>([
    ['a shadow step waits for none', 'Shadowing', 0, { fails: false, holds: false }],
    ['no weight waits for any', 'Shifting', 10, { fails: false, holds: false }],
    ['the end of the bake waits', 'Baking', 100, { fails: false, holds: true }],
  ])('%s', (_sentence, phase, weight, want) =>
    expect(acts({ candidate: none, ...(phase === undefined ? {} : { phase }), weight })).toEqual(want),
  );

  test.each<[Scene['phase'] & string, number]>([
    ['Shadowing', 0],
    ['Shifting', 10],
    ['Baking', 100],
  ])('wrong answers fail at once when %s', (phase, weight) =>
    expect(acts({ candidate: seen(labels(300, 200)), phase, weight }).fails).toBe(true),
  );
});

test('an accuracy guard with two questions shows the one that stands in the way', () => {
  const both = { name: 'labels', accuracy: { min: '80%', worseBy: '2%' } };
  expect(judgedIn({ guards: [both], candidate: seen(labels(9000, 1000)), stable })).toMatchObject([
    { verdict: 'Fail', limit: '2%' },
  ]);
});
