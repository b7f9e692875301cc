import { describe, expect, test } from 'vitest';
import { noRequests, type Tally } from '../analysis/tally.ts';
import {
  after,
  candidateAt,
  evidenceOf,
  NOON,
  requests,
  revisionFor,
  routeTo,
  shifting,
  specOf,
  versionOf,
} from './builders.ts';
import { type Plan, plan } from './plan.ts';
import { copiesFor, FIRST_REST_MS, LONGEST_MS, LONGEST_REST_MS } from './secondOpinion.ts';
import type { CandidateStatus, RevisionEvidence, World } from './world.ts';

const [V0, V1] = [revisionFor(0), revisionFor(1)];
const of = (candidate: Tally, more: Partial<RevisionEvidence> = {}, stable = requests(900)): World['evidence'] => ({
  [V0]: evidenceOf(0, stable),
  [V1]: { ...evidenceOf(1, candidate, 1), takesCopies: true, ...more },
});
/** Three of twenty failed: not enough to fail at one in a thousand, and hardly chance. */
const SUSPECT = requests(17, 3);
/** 1.1.0 has 10 % of the requests: 90 a second go to stable, 2 to 10 to it. */
const step: CandidateStatus = { ...candidateAt('Shifting', 10), stepStartedAt: '2030-01-01T11:59:50Z' };
const worldOf = (evidence: World['evidence'], candidate: CandidateStatus = step, more: Partial<World> = {}): World => ({
  ...shifting,
  spec: specOf({ steps: [{ weight: 10 }, { weight: 100 }] }),
  status: { rolloutID: 'r-1', stable: versionOf(0), candidate },
  route: routeTo({ 0: 9000, 1: 1000 }),
  evidence,
  ...more,
});
const opinionOf = ({ status }: Plan) => status.candidate?.secondOpinion;
const asking = { guard: 'errors', startedAt: '2030-01-01T12:00:00Z', share: 1000, asked: 1 };
const withOpinion = (opinion: CandidateStatus['secondOpinion']): CandidateStatus =>
  opinion === undefined ? step : { ...step, secondOpinion: opinion };

describe('a second opinion', () => {
  test('is asked for by the first look that doubts, and the order goes out at once', () => {
    const decided = plan(worldOf(of(SUSPECT)));
    expect(opinionOf(decided)).toEqual({ ...asking, share: 1112 });
    expect(decided.next).toMatchObject({ kind: 'again', afterMs: 20 });
    expect(decided.events).toContainEqual(
      expect.objectContaining({ type: 'Normal', reason: 'SecondOpinionAsked', action: 'CopyRequests' }),
    );
    expect(decided.status.candidate).toMatchObject({ phase: 'Shifting', weight: 10 });
    expect(decided.backends).toEqual(plan(worldOf(of(requests(20)))).backends);
  });

  test('is looked at four times a second, and written down once', () => {
    const world = worldOf(of(SUSPECT), withOpinion(asking));
    const decided = plan({ ...world, now: after(1) });
    expect([opinionOf(decided), decided.next.kind === 'again' && decided.next.afterMs]).toEqual([asking, 250]);
    expect(decided.events).toEqual([]);
  });

  test.each<[string, Partial<World>]>([
    ['where the spec says Never', { spec: specOf({ steps: [{ weight: 10 }], secondOpinion: 'Never' }) }],
    ['where evidence comes from a Prometheus', { podsAreAsked: false }],
    [
      'where the guard is only observed',
      { spec: specOf({ guards: [{ name: 'errors', errors: { max: '1%' }, observe: true }] }) },
    ],
    ['where nothing acts', { spec: specOf({ observe: true }) }],
    [
      'where the guard compares with stable: the copies weigh one side of a trouble',
      { spec: specOf({ guards: [{ name: 'errors', errors: { worseBy: '1%' } }] }) },
    ],
    [
      'about latency: a copy waits behind all others',
      { spec: specOf({ guards: [{ name: 'slow', latency: { threshold: '1ms', quantile: 95 } }] }) },
    ],
  ])('is not asked for %s', (_, more) => {
    const slow = { ...SUSPECT, latency: [0, 0, 0, 17, 3] };
    expect(opinionOf(plan(worldOf(of(slow), step, more)))).toBeUndefined();
  });

  test.each<[string, World['evidence']]>([
    ['where nothing is in doubt', of(requests(20))],
    ['where its pods would count copies like any request', { ...of(SUSPECT), [V1]: evidenceOf(1, SUSPECT, 1) }],
    ['where stable shows the same', of(SUSPECT, {}, requests(750, 150))],
    ['where stable has next to no requests to copy', of(SUSPECT, {}, requests(20))],
    [
      'where the candidate has enough of its own',
      of({ ...requests(0), ok: 480, serverError: 9, batchSeconds: 10, failedSquaredOverServed: 1 }),
    ],
  ])('is not asked for %s', (_, evidence) => {
    expect(opinionOf(plan(worldOf(evidence)))).toBeUndefined();
  });

  test.each<[string, CandidateStatus]>([
    ['in a shadow step, where all is copied already', { ...step, phase: 'Shadowing', weight: 0, shadow: 50 }],
    ['in a preview', { ...step, phase: 'Previewing', weight: 0 }],
    ['with header routes alone', { ...step, weight: 0 }],
    ['with all requests', { ...step, weight: 100, step: 1 }],
    ['in the bake', { ...step, phase: 'Baking', weight: 100, step: 1 }],
  ])('is not asked for %s, and one that was asked before is dropped', (_, candidate) => {
    const evidence = of(SUSPECT);
    expect(opinionOf(plan(worldOf(evidence, candidate)))).toBeUndefined();
    const now = opinionOf(plan(worldOf(evidence, { ...candidate, secondOpinion: asking })));
    expect(now === undefined || now.endedAt !== undefined).toBe(true);
  });

  test.each<[string, World['evidence'], number]>([
    ['the doubt is gone', of(requests(2000, 3)), 1],
    ['its time is over', of(SUSPECT), LONGEST_MS / 1000],
    ['the clock was set back', of(SUSPECT), -60],
  ])('ends when %s', (_, evidence, seconds) => {
    const decided = plan(worldOf(evidence, withOpinion(asking), { now: after(seconds) }));
    expect(opinionOf(decided)?.endedAt).toBeDefined();
    expect(decided.events.map(({ reason }) => reason)).toContain('SecondOpinionEnded');
    expect(decided.next).toMatchObject({ afterMs: 1000 });
  });

  test('rests before it is asked again, twice as long each time and an hour at most', () => {
    const restOf = (asked: number): number => {
      const over = { ...asking, asked, endedAt: asking.startedAt };
      let seconds = 1;
      while (opinionOf(plan(worldOf(of(SUSPECT), withOpinion(over), { now: after(seconds) })))?.asked === asked)
        seconds += 1;
      return seconds * 1000;
    };
    expect([1, 2, 3, 9, 30].map(restOf)).toEqual([
      FIRST_REST_MS,
      2 * FIRST_REST_MS,
      4 * FIRST_REST_MS,
      LONGEST_REST_MS,
      LONGEST_REST_MS,
    ]);
  });

  test('of another step is no longer remembered', () => {
    const next = { ...step, stepStartedAt: '2030-01-01T12:01:00Z' };
    const over = { ...asking, asked: 7, endedAt: asking.startedAt };
    const world = worldOf(of(requests(20)), { ...next, secondOpinion: over }, { now: after(61) });
    expect(opinionOf(plan(world))).toBeUndefined();
  });

  test('that fails the guard ends with the rollout', () => {
    const copies = { ok: 112, clientError: 0, serverError: 48, invalid: 0 };
    const batches = { 'copies/errors': { count: 4, squaredOverTotal: 14.4 } };
    const world = worldOf(of({ ...SUSPECT, copies, batches }), withOpinion(asking), { now: after(2) });
    const decided = plan(world);
    expect(decided.rule).toBe('roll-back');
    expect(opinionOf(decided)).toBeUndefined();
    expect(plan(worldOf(of(SUSPECT), withOpinion(asking), { now: after(2) })).rule).not.toBe('roll-back');
  });

  test('counts in the guard alone: the split that pods observe is that of users', () => {
    const copies = { ok: 5000, clientError: 0, serverError: 0, invalid: 0 };
    const [without, withCopies] = [noRequests.copies, copies].map((some) =>
      plan(worldOf(of({ ...requests(100), copies: some }))),
    );
    expect(withCopies?.status.traffic).toEqual(without?.status.traffic);
  });

  test('fills a second up to fifty requests, with four times what the candidate has at most, or ten', () => {
    expect([0, 1, 5, 10, 20, 45, 60].map(copiesFor)).toEqual([10, 10, 20, 40, 30, 5, 0]);
  });

  test('that was asked for changes nothing in a world that stands still', () => {
    const first = plan(worldOf(of(SUSPECT)));
    const candidate = first.status.candidate as CandidateStatus;
    const again = plan(worldOf(of(SUSPECT), candidate, { now: NOON }));
    expect(again.status.candidate).toEqual(candidate);
  });
});
