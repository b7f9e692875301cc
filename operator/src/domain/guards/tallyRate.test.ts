import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { History } from '../analysis/designEffect.ts';
import { noHistory } from '../analysis/designEffect.ts';
import { noRequests, rateKey, type Tally } from '../analysis/tally.ts';
import type { RevisionEvidence } from '../rollout/world.ts';
import { seen, worldOf } from './builders.ts';
import { sightOf } from './sight.ts';
import { batchedRate, historyOf, type TallyRate } from './tallyRate.ts';

const errors: TallyRate = {
  ...batchedRate(
    'requests',
    'unused',
    ({ serverError }) => serverError,
    ({ ok, serverError }) => ok + serverError,
  ),
  batched: ({ ok, serverError, batchSeconds, failedSquaredOverServed }) => ({
    hits: serverError,
    total: ok + serverError,
    batches: { count: batchSeconds, squaredOverTotal: failedSquaredOverServed },
  }),
};
const slow = batchedRate(
  'requests',
  rateKey.slower(60),
  ({ latency }) => latency[1] ?? 0,
  ({ ok }) => ok,
);

const knownBy = (rate: TallyRate, stable?: RevisionEvidence): History => {
  const world = worldOf({ guards: [], ...(stable === undefined ? {} : { stable }) });
  if (world.status.candidate === undefined) throw new Error('the scene has no candidate');
  return historyOf(sightOf(world, world.status.candidate), rate);
};
/** So many seconds of 100 requests, of which these failed in each. */
const secondsOf = (...failed: readonly number[]): Tally => ({
  ...noRequests,
  ok: 100 * failed.length - failed.reduce((a, b) => a + b, 0),
  serverError: failed.reduce((a, b) => a + b, 0),
  batchSeconds: failed.length,
  failedSquaredOverServed: failed.reduce((sum, one) => sum + (one * one) / 100, 0),
});
const steady = (seconds: number): Tally => secondsOf(...new Array<number>(seconds).fill(5));

describe('what the stable version is known by', () => {
  const ofLife = (tally: Tally, pods = 1): History => ({
    hits: tally.serverError,
    total: tally.ok + tally.serverError,
    batches: { count: tally.batchSeconds, squaredOverTotal: tally.failedSquaredOverServed },
    pods,
  });
  const burst = secondsOf(...new Array<number>(59).fill(0), 80);
  const table: readonly (readonly [string, RevisionEvidence | undefined, History])[] = [
    ['nothing where no evidence of it came', undefined, noHistory],
    ['nothing where it never answered', seen(noRequests, { answering: 0 }), noHistory],
    ['its life, where that is longer', seen(steady(10), { lifetime: steady(600) }), ofLife(steady(600), 2)],
    ['its life, a second of bursts included', seen(steady(10), { lifetime: burst, answering: 1 }), ofLife(burst)],
    [
      'the rollout, where its pods began again since: their lives are shorter, but its closed processes still count',
      seen(steady(5), { sinceRollout: steady(300), lifetime: steady(20) }),
      ofLife(steady(300), 2),
    ],
    [
      'the rollout and not the step, so that a weight that was raised forgets nothing',
      seen(steady(1), { sinceRollout: steady(40), lifetime: steady(40) }),
      ofLife(steady(40), 2),
    ],
    [
      'its life by the pods that answer: of none that does now, as of one',
      seen(steady(10), { lifetime: steady(600), answering: 0 }),
      ofLife(steady(600)),
    ],
    [
      'its life by all that counted it: nine of ten pods are gone, and a minute of ten is no ten minutes',
      seen(steady(10), { lifetime: steady(600), answering: 1, processes: 10 }),
      ofLife(steady(600), 10),
    ],
    [
      'the seconds that had requests: hours without any are no quiet hours',
      seen(noRequests, { lifetime: steady(3), stepSeconds: 7200, answering: 1 }),
      ofLife(steady(3)),
    ],
  ];
  test.each(table)('is %s', (_sentence, stable, expected) => expect(knownBy(errors, stable)).toEqual(expected));

  test('is the rollout for a rate whose batches only the operator keeps: its life has none', () => {
    const batches = { [rateKey.slower(60)]: { count: 30, squaredOverTotal: 4 } };
    const told = { ...noRequests, ok: 900, latency: [850, 50] };
    const stable = seen(told, { sinceRollout: { ...told, batches }, lifetime: { ...told, ok: 90_000 }, answering: 1 });
    expect(knownBy(slow, stable)).toEqual({ hits: 50, total: 900, batches: batches[rateKey.slower(60)], pods: 1 });
  });

  test('is of the stable version alone: a candidate that becomes stable brings its own evidence', () => {
    const candidate = seen(steady(900));
    const world = worldOf({ guards: [], candidate, stable: seen(steady(7), { answering: 1 }) });
    if (world.status.candidate === undefined) throw new Error('the scene has no candidate');
    expect(historyOf(sightOf(world, world.status.candidate), errors)).toEqual(ofLife(steady(7)));
  });
});

test('is always one of the two as it was counted, never a mixture of seconds of the one with failures of the other', () => {
  const failed = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 40 });
  fc.assert(
    fc.property(failed, failed, fc.integer({ min: 0, max: 9 }), (life, rollout, answering) => {
      const [lifetime, sinceRollout] = [secondsOf(...life), secondsOf(...rollout)];
      const known = knownBy(errors, seen(noRequests, { lifetime, sinceRollout, answering }));
      const longer = life.length >= rollout.length ? lifetime : sinceRollout;
      expect(known).toEqual({ ...errors.batched(longer), pods: Math.max(1, answering) });
      expect(known.batches.count).toBe(Math.max(life.length, rollout.length));
    }),
  );
});
