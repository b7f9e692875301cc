import { describe, expect, test } from 'vitest';
import { plus } from '../analysis/tally.ts';
import { type Scene, seen, served, tally, verdictIn } from './builders.ts';

const max = { name: 'errors', errors: { max: '1%' } };
const worseBy = { name: 'errors', errors: { worseBy: '0.5%' } };
const healthy = seen(served(20_000, 20));

type Table = readonly (readonly [sentence: string, scene: Omit<Scene, 'guards'>, verdict: string])[];

describe('errors against a limit of 1 %', () => {
  const table: Table = [
    ['many clean requests pass', { candidate: seen(served(5000)) }, 'Pass'],
    ['few clean requests need more', { candidate: seen(served(100)) }, 'NeedMore'],
    ['one failure of twenty is no verdict', { candidate: seen(served(20, 1)) }, 'NeedMore'],
    ['a third of fifty failing fails', { candidate: seen(served(50, 16)) }, 'Fail'],
    [
      'small faults add up over the steps of a rollout',
      { candidate: seen(served(300, 6), { sinceRollout: served(20_000, 400) }) },
      'Fail',
    ],
    [
      'a fault that this step brought out fails though the rollout was clean',
      { candidate: seen(served(50, 16), { sinceRollout: served(50_000, 16) }) },
      'Fail',
    ],
    ['refusals under load are errors', { candidate: seen({ ...served(40), shed: 20 }) }, 'Fail'],
    ["a caller's own mistakes are none", { candidate: seen({ ...served(5000), clientError: 900 }) }, 'Pass'],
    ['copies of requests in a shadow step count', { phase: 'Shadowing', candidate: seen(served(50, 16)) }, 'Fail'],
    ['requests of a preview count', { phase: 'Previewing', candidate: seen(served(50, 16)) }, 'Fail'],
    ['the bake counts', { phase: 'Baking', weight: 100, candidate: seen(served(50, 16)) }, 'Fail'],
  ];
  test.each(table)('%s', (_sentence, scene, verdict) =>
    expect(verdictIn({ guards: [max], stable: healthy, ...scene }).verdict).toBe(verdict),
  );

  test('flagger#1810, flagger#1304: the status carries value, limit, interval and count, not a verdict alone', () => {
    expect(verdictIn({ guards: [max], stable: healthy, candidate: seen(served(200, 60)) })).toEqual({
      name: 'errors',
      kind: 'errors',
      verdict: 'Fail',
      rate: '30%',
      low: expect.stringMatching(/^1\d\.\d+%$/),
      high: expect.stringMatching(/^4\d\.\d+%$/),
      limit: '1%',
      n: 200,
    });
  });

  test('flagger#1501: a spike among many good requests is weighed, not counted up to a budget', () => {
    const spike = { candidate: seen(served(10_000, 20)) };
    expect(verdictIn({ guards: [max], stable: healthy, ...spike }).verdict).toBe('Pass');
  });

  test('tells the time to a verdict from the traffic there is', () => {
    const eta = (clean: number) => verdictIn({ guards: [max], stable: healthy, candidate: seen(served(clean)) }).eta;
    // 984 clean requests pass; 492 took a minute, so the other half takes one more.
    expect(eta(492)).toBe('1m');
    expect(eta(984)).toBeUndefined();
    expect(eta(0)).toBeUndefined();
  });

  test('gives no time where the rate sits on its limit', () => {
    expect(verdictIn({ guards: [max], stable: healthy, candidate: seen(served(1000, 10)) }).eta).toBeUndefined();
  });
});

describe('errors against the stable version, worse by at most half a point', () => {
  const table: Table = [
    ['as good and much seen passes', { candidate: seen(served(20_000, 20)) }, 'Pass'],
    ['a third of fifty failing fails', { candidate: seen(served(50, 16)) }, 'Fail'],
    [
      'as bad as the stable version does not fail',
      { candidate: seen(served(200, 60)), stable: seen(served(800, 240)) },
      'NeedMore',
    ],
    [
      'worse at a weight of 100 is told from what the stable version was like',
      {
        weight: 100,
        candidate: seen(served(400, 120)),
        stable: seen(served(0), { lifetime: served(100_000, 100) }),
      },
      'Fail',
    ],
    [
      'a stable version nobody asked leaves it blind',
      { candidate: seen(served(50)), stable: seen(served(0)) },
      'Blind',
    ],
  ];
  test.each(table)('%s', (_sentence, scene, verdict) =>
    expect(verdictIn({ guards: [worseBy], stable: healthy, ...scene }).verdict).toBe(verdict),
  );

  test('flagger#739, kserve#335: the difference is in the status with both rates it is made of', () => {
    expect(verdictIn({ guards: [worseBy], stable: healthy, candidate: seen(served(200, 60)) })).toMatchObject({
      verdict: 'Fail',
      rate: '29.9%',
      limit: '0.5%',
      message: '30% against 0.1% of the stable version',
    });
  });

  test('trouble that passed while the candidate had most of the traffic makes it no worse', () => {
    // Both failed 30 % of the requests of a minute in this step; before it the candidate had had a tenth of them.
    const candidate = seen(served(3000, 900), { sinceRollout: served(3100, 900) });
    const stable = seen(served(3000, 900), { sinceRollout: served(30_000, 900) });
    expect(verdictIn({ guards: [worseBy], candidate, stable }).verdict).toBe('NeedMore');
  });

  test('tells about when, if both go on as they do', () => {
    const { verdict, eta } = verdictIn({
      guards: [worseBy],
      stable: seen(served(4000, 8)),
      candidate: seen(served(1000, 2)),
    });
    expect(verdict).toBe('NeedMore');
    expect(eta).toMatch(/^\d+m/);
  });
});

describe('a guard with two questions', () => {
  const both = { name: 'errors', errors: { max: '1%', worseBy: '0.5%' } };
  test.each([
    ['fails by the limit', seen(served(5000, 150)), seen(served(5000, 140)), '1%'],
    ['fails by the margin', seen(served(50_000, 450)), seen(served(50_000, 5)), '0.5%'],
  ])('%s, and shows the one that failed', (_sentence, candidate, stable, limit) => {
    const status = verdictIn({ guards: [both], candidate, stable });
    expect(status).toMatchObject(limit === '1%' ? { verdict: 'SharedFault', limit } : { verdict: 'Fail', limit });
  });

  test('passes where both pass', () => {
    expect(verdictIn({ guards: [both], candidate: seen(served(20_000, 20)), stable: healthy }).verdict).toBe('Pass');
  });

  test('much worse than a stable version that suffers as well fails all the same', () => {
    const scene = { candidate: seen(served(500, 300)), stable: seen(served(5000, 150)) };
    expect(verdictIn({ guards: [both], ...scene })).toMatchObject({ verdict: 'Fail' });
  });
});

test('a burst in the first seconds after the weight rose is a burst, however calm the thousand small seconds before were', () => {
  const step = tally({ ok: 1400, serverError: 100, batchSeconds: 3, failedSquaredOverServed: (100 * 100) / 500 });
  const before = tally({ ok: 2000, batchSeconds: 1000 });
  const guard = verdictIn({
    guards: [{ name: 'errors', errors: { max: '0.1%' } }],
    candidate: seen(step, { sinceRollout: plus(before, step) }),
    stable: seen(served(100_000)),
  });
  expect(guard.verdict).toBe('NeedMore');
});
