import type { Guard } from '@slipway/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  candidateOf,
  judgedIn,
  latencies,
  type Scene,
  seen,
  served,
  shadowed,
  tally,
  verdictIn,
  worldOf,
} from './builders.ts';
import { byGravity } from './finding.ts';
import { judgeGuards } from './judgeGuards.ts';

const errors: Guard = { name: 'errors', errors: { max: '1%' } };
const latency: Guard = { name: 'latency', latency: { threshold: '60ms', quantile: 95 } };
const invalid: Guard = { name: 'invalid', invalidOutputs: { max: '0.1%' } };
const stable = seen(served(5000));

describe('where nothing can be seen', () => {
  const kinds: readonly Guard[] = [
    errors,
    { name: 'margin', errors: { worseBy: '1%' } },
    latency,
    invalid,
    { name: 'predictions', predictionShift: { psi: '0.2' } },
  ];

  test('flagger#1035, flagger#1689, flagger#1633, flagger#883: no traffic for a whole step is blindness, never a failure', () => {
    for (const { verdict, message } of judgedIn({ guards: kinds, candidate: seen(served(0)), stable })) {
      expect(verdict).toBe('Blind');
      expect(message).toMatch(/^the candidate has had no (served )?(requests|answers) since the step began$/);
    }
  });

  test.each<[string, Scene['candidate'], string]>([
    [
      'no pod answers',
      seen(served(5000), { answering: 0 }),
      "0 of 5 ready pods of the candidate tell what they count: is port 9090 of them open to the operator's namespace?",
    ],
    [
      'most pods do not answer',
      seen(served(5000), { answering: 2 }),
      '2 of 5 ready pods of the candidate tell what they count',
    ],
    [
      'no evidence was ever read',
      undefined,
      "0 of 5 ready pods of the candidate tell what they count: is port 9090 of them open to the operator's namespace?",
    ],
  ])('it is blind where %s', (_sentence, candidate, message) => {
    const scene = { guards: kinds, stable, ready: 5, ...(candidate === undefined ? {} : { candidate }) };
    for (const status of judgedIn(scene)) expect(status).toMatchObject({ verdict: 'Blind', message });
  });

  test('what little is seen still fails', () => {
    expect(
      verdictIn({ guards: [errors], ready: 5, candidate: seen(served(60, 30), { answering: 1 }), stable }).verdict,
    ).toBe('Fail');
  });

  test('half of the pods are enough to see by', () => {
    expect(verdictIn({ guards: [errors], ready: 4, candidate: seen(served(5000)), stable }).verdict).toBe('Pass');
  });

  test('in a preview silence is no blindness, as nobody need ask for it', () => {
    const scene: Scene = { guards: kinds, phase: 'Previewing', weight: 0, candidate: seen(served(0)), stable };
    for (const { verdict } of judgedIn(scene)) expect(verdict).toBe('NeedMore');
  });

  test('in a preview pods that can not be read are blindness', () => {
    const scene: Scene = {
      guards: [errors],
      phase: 'Previewing',
      weight: 0,
      candidate: seen(served(0), { answering: 0 }),
    };
    expect(verdictIn(scene).verdict).toBe('Blind');
  });
});

test.each<[string, Scene['phase'] & string, number]>([
  ['before its pods are ready', 'Preparing', 0],
  ['while it waits for the pods of its first weight', 'Shifting', 0],
  ['on its way out', 'RollingBack', 10],
  ['when it has arrived', 'Complete', 100],
])('nothing is judged %s', (_sentence, phase, weight) =>
  expect(judgedIn({ guards: [errors], phase, weight, candidate: seen(served(60, 30)), stable })).toEqual([]),
);

describe('an observed guard', () => {
  const failing = { candidate: seen(served(60, 30)), stable };

  test('is judged and marked', () => {
    expect(verdictIn({ guards: [{ ...errors, observe: true }], ...failing })).toMatchObject({
      verdict: 'Fail',
      observe: true,
    });
    expect(verdictIn({ guards: [errors], observe: true, ...failing })).toMatchObject({
      verdict: 'Fail',
      observe: true,
    });
    expect(verdictIn({ guards: [errors], ...failing })).not.toHaveProperty('observe');
  });

  test('says the very same once it is no longer just observed', () => {
    const say = (observe: boolean) => judgedIn({ guards: [{ ...errors, observe }, latency], ...failing });
    expect(say(true).map(({ observe: _mark, ...status }) => status)).toEqual(say(false));
  });

  test('changes nothing in what the others say but their part of the risk', () => {
    const others = (bad: number) =>
      judgedIn({
        guards: [errors, { ...latency, observe: true }],
        candidate: seen({ ...latencies({ 40: 500 - bad, 500: bad }), serverError: 4 }),
        stable,
      })[0];
    fc.assert(
      fc.property(fc.nat(500), (bad) => {
        expect(others(bad)).toEqual(others(0));
      }),
    );
  });
});

describe('the more that failed', () => {
  const scene = (total: number, bad: number, good: number): Scene => ({
    guards: [errors, latency, invalid],
    candidate: seen({ ...latencies({ 40: total - bad, 500: bad }), ok: total - bad, serverError: bad, invalid: bad }),
    stable: seen({ ...latencies({ 40: good }), ok: good }),
  });

  test('the worse is the verdict: a failure more never turns a Fail into a Pass', () => {
    const counts = fc.integer({ min: 1, max: 3000 });
    fc.assert(
      fc.property(counts, fc.nat(3000), fc.nat(100), counts, (total, some, more, good) => {
        const bad = Math.min(some, total);
        const [before, after] = [judgedIn(scene(total, bad, good)), judgedIn(scene(total + more, bad + more, good))];
        for (const [i, { verdict }] of before.entries()) {
          const now = after[i];
          if (verdict === 'Fail') expect(now?.verdict).toBe('Fail');
        }
      }),
    );
  });
});

describe('every world', () => {
  const counts = fc.nat(5000);
  const anyTally = fc.record({
    ok: counts,
    serverError: counts,
    clientError: counts,
    shed: counts,
    invalid: counts,
    right: counts,
    wrong: counts,
  });
  const anyEvidence = fc
    .record({ step: anyTally, before: anyTally, answering: fc.nat(3) })
    .map(({ step, before, answering }) => {
      const [now, then] = [tally(step), tally(before)];
      const all = tally({
        ok: now.ok + then.ok,
        serverError: now.serverError + then.serverError,
        right: now.right + then.right,
        wrong: now.wrong + then.wrong,
      });
      return seen(now, {
        sinceRollout: all,
        lifetime: all,
        answering,
        shadow: shadowed(step.right + step.wrong, step.wrong),
      });
    });
  const policy: readonly Guard[] = [
    errors,
    { name: 'both', errors: { max: '2%', worseBy: '1%' } },
    latency,
    invalid,
    { name: 'labels', accuracy: { min: '90%', worseBy: '1%' } },
    { name: 'answers', disagreement: { max: '2%', tolerance: '1e-3', k: 5, segment: 'x' } },
    { name: 'predictions', predictionShift: { psi: '0.2' } },
    { name: 'query', prometheus: { value: 'q', max: '1', failures: 3, interval: '15s' } },
    { name: 'test', job: { image: 'i', timeout: '1m' } },
  ];
  const anyPhase = fc.constantFrom('Shadowing', 'Previewing', 'Shifting', 'Baking') as fc.Arbitrary<
    Scene['phase'] & string
  >;

  test('gives one status a guard that fits the API, and the same each time', () => {
    fc.assert(
      fc.property(anyEvidence, anyEvidence, anyPhase, (candidate, reference, phase) => {
        const scene: Scene = {
          guards: policy,
          candidate,
          stable: reference,
          phase,
          weight: phase === 'Baking' ? 100 : 10,
        };
        const [world, live] = [worldOf(scene), candidateOf(scene)];
        const guards = judgeGuards(world, live);
        expect(guards).toEqual(judgeGuards(structuredClone(world), live));
        expect(guards.length).toBe(phase === 'Shadowing' ? policy.length : policy.length - 1);
        for (const { rate, low, high, limit, n, message = '' } of guards) {
          for (const text of [rate, low, high, limit]) {
            expect(text).not.toContain('NaN');
            expect(text.length).toBeLessThanOrEqual(24);
          }
          expect(Number.isInteger(n) && n >= 0).toBe(true);
          expect(message).not.toContain('NaN');
          expect(message.length).toBeLessThanOrEqual(256);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('a message that is too long for the status is cut, the cause kept', () => {
  const { message = '' } = verdictIn({
    guards: [{ name: 'q', prometheus: { value: 'q', max: '1', failures: 3, interval: '15s' } }],
    external: { q: { kind: 'Unreachable', message: `connect ECONNREFUSED ${'x'.repeat(500)}` } },
    candidate: seen(served(10)),
  });
  expect(message).toHaveLength(256);
  expect(message).toMatch(/^connect ECONNREFUSED x+…$/);
});

test('verdicts are ordered by how much they stand in the way', () => {
  const all = (['Pass', 'NeedMore', 'Blind', 'SharedFault', 'Fail'] as const).map((verdict) => ({ verdict }));
  expect(all.sort(byGravity).map(({ verdict }) => verdict)).toEqual([
    'Fail',
    'SharedFault',
    'Blind',
    'NeedMore',
    'Pass',
  ]);
});
