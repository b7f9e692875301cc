import type { Evidence } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { answered, binned, evidenceDocument, latencies } from '../../test/evidenceDocument.ts';
import { Ledger, type LedgerTerms } from './ledger.ts';
import type { RawLook } from './predictionLooks.ts';

const START = new Date('2030-01-01T12:00:00Z');
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);
const pod = (uid: string, revision: 'stable' | 'candidate') => ({ uid, name: uid, ip: '10.0.0.1', revision });
const [S1, S2, C1, C2] = [pod('s1', 'stable'), pod('s2', 'stable'), pod('c1', 'candidate'), pod('c2', 'candidate')];
const TERMS: LedgerTerms = {
  rolloutID: 'r',
  startedAt: START,
  candidate: 'candidate',
  stable: 'stable',
  thresholdsMs: [60],
  predictions: true,
};

/** One pass over the pods: each tells its document, and the pass is over. */
function pass(ledger: Ledger, second: number, ...told: readonly (readonly [typeof S1, Partial<Evidence>])[]): void {
  for (const [who, given] of told) ledger.record(who, evidenceDocument(given), at(second));
  ledger.closePass(at(second));
}

describe('batches for the design effect', () => {
  const failing = (wrong: number, right: number) => ({ labels: { right, wrong, unknown: 0 } });

  test('put together what all pods of a revision counted between two passes', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, failing(1, 3)], [C2, failing(2, 2)]);
    pass(ledger, 2, [C1, failing(1, 5)], [C2, failing(2, 4)]);
    // 3 of 8, then 0 of 4.
    expect(ledger.evidence('candidate', at(2)).sinceRollout.batches['wrong']).toEqual({
      count: 2,
      squaredOverTotal: 9 / 8,
    });
  });

  test('are of a second, however often pods are asked', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, failing(1, 3)]);
    pass(ledger, 1.5, [C1, failing(2, 4)]);
    const count = () => ledger.evidence('candidate', at(2)).sinceRollout.batches['wrong'];
    expect(count()).toEqual({ count: 2, squaredOverTotal: 1 / 4 + 1 / 2 });
    pass(ledger, 2, [C1, failing(2, 6)]);
    expect(count()).toEqual({ count: 2, squaredOverTotal: 1 / 4 + 1 / 4 });
    pass(ledger, 2.5, [C1, failing(4, 6)]);
    expect(count()).toEqual({ count: 3, squaredOverTotal: 1 / 4 + 1 / 4 + 2 });
  });

  test('of labels are the seconds of their requests where the pods tell them: a night of labels comes at once', () => {
    const ledger = new Ledger(TERMS);
    const batches = { seconds: 50, wrongSquaredOverLabelled: 12 };
    pass(
      ledger,
      1,
      [C1, { labels: { right: 400, wrong: 100, unknown: 0, batches } }],
      [C2, { labels: { right: 9, wrong: 1, unknown: 0, batches } }],
    );
    expect(ledger.evidence('candidate', at(1)).sinceRollout).toMatchObject({
      wrong: 101,
      batches: { wrong: { count: 100, squaredOverTotal: 24 } },
    });
  });

  test('of errors are one, not none, in a step that began within the second', () => {
    const ledger = new Ledger(TERMS);
    const batches = (failedSquaredOverServed: number) => ({ seconds: 1, failedSquaredOverServed });
    pass(ledger, 1, [C1, { requests: answered(5, 5), batches: batches(2.5) }]);
    ledger.enter('next', at(1), at(1));
    pass(ledger, 1.5, [C1, { requests: answered(11, 9), batches: batches(4.05) }]);
    expect(ledger.evidence('candidate', at(1.5)).sinceStep).toMatchObject({
      batchSeconds: 1,
      failedSquaredOverServed: 1.6,
    });
  });

  test('leave out a time without a question', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, failing(1, 3)]);
    pass(ledger, 2, [C1, failing(1, 3)]);
    expect(ledger.evidence('candidate', at(2)).sinceRollout.batches['wrong']?.count).toBe(1);
  });

  test('are those of the step in the window of the step', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, failing(4, 4)]);
    ledger.enter('next', at(1), at(1));
    pass(ledger, 2, [C1, failing(5, 7)]);
    expect(ledger.evidence('candidate', at(2)).sinceStep).toMatchObject({
      wrong: 1,
      right: 3,
      batches: { wrong: { count: 1, squaredOverTotal: 1 / 4 } },
    });
  });

  test('count what is slower than the threshold of a guard, and invalid answers of all that were served', () => {
    const ledger = new Ledger(TERMS);
    const slow = latencies([10, 6], [60, 1], [75, 2], [20_000, 1]);
    pass(ledger, 1, [C1, { requests: answered(8, 2), latency: slow, invalid: 5 }]);
    expect(ledger.evidence('candidate', at(1)).sinceRollout.batches).toMatchObject({
      'slower/60': { count: 1, squaredOverTotal: 9 / 10 },
      invalid: { count: 1, squaredOverTotal: 25 / 10 },
    });
  });

  test('of a process that is older than the rollout begin with its first sight', () => {
    const ledger = new Ledger(TERMS);
    const old = { startedAt: '2030-01-01T11:00:00Z' };
    pass(ledger, 1, [S1, { ...old, ...failing(900, 100) }]);
    pass(ledger, 2, [S1, { ...old, ...failing(901, 103) }]);
    expect(ledger.evidence('stable', at(2)).sinceRollout).toMatchObject({
      wrong: 1,
      right: 3,
      batches: { wrong: { count: 1, squaredOverTotal: 1 / 4 } },
    });
  });
});

describe('the age of a process', () => {
  test('is told by its own clock: one whose node is a day ahead is not younger than the rollout', () => {
    const ledger = new Ledger(TERMS);
    const ahead = { startedAt: '2030-01-02T11:50:00Z', at: '2030-01-02T12:00:01Z', requests: answered(500) };
    pass(ledger, 1, [S1, ahead]);
    expect(ledger.evidence('stable', at(1)).sinceRollout.ok).toBe(0);
  });

  test('that is not told counts as old: what came before the rollout is no evidence about it', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [S1, { startedAt: 'long ago', requests: answered(500) }]);
    expect(ledger.evidence('stable', at(1)).sinceRollout.ok).toBe(0);
  });
});

describe('looks at predictions', () => {
  const bins = (...counts: readonly number[]) => ({ predictions: [binned('delay', counts)] });
  const asCounted = ({ look, candidate, stable }: RawLook) => ({
    look,
    predictions: [...candidate].map(([name, of]) => ({ name, candidate: of, stable: stable.get(name) ?? [] })),
  });
  const lookAt = (ledger: Ledger, second: number) => ledger.evidence('candidate', at(second), asCounted).predictionLook;

  test('come when the smaller side has 100 rows and at each doubling, and stand still between', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, bins(60, 39)], [S1, bins(500, 500)]);
    expect(lookAt(ledger, 1)).toBeUndefined();
    pass(ledger, 2, [C1, bins(60, 40)], [S1, bins(700, 500)]);
    const first = { look: 1, predictions: [{ name: 'delay', candidate: [60, 40], stable: [700, 500] }] };
    expect(lookAt(ledger, 2)).toEqual(first);
    pass(ledger, 3, [C1, bins(120, 79)], [S1, bins(900, 600)]);
    expect(lookAt(ledger, 3)).toEqual(first);
    pass(ledger, 4, [C1, bins(120, 80)], [S1, bins(900, 700)]);
    expect(lookAt(ledger, 4)).toEqual({
      look: 2,
      predictions: [{ name: 'delay', candidate: [120, 80], stable: [900, 700] }],
    });
    pass(ledger, 5, [C1, bins(1000, 600)], [S1, bins(900, 700)]);
    expect(lookAt(ledger, 5)?.look).toBe(5);
  });

  test('leave out what the stable version predicted before the candidate did', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, bins(0, 0)], [S1, bins(400, 0)]);
    pass(ledger, 2, [C1, bins(100, 0)], [S1, bins(400, 300)]);
    expect(lookAt(ledger, 2)?.predictions[0]?.stable).toEqual([0, 300]);
  });

  test('wait until it is known what the bins mean', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, bins(100, 0)], [S1, bins(100, 0)]);
    expect(ledger.evidence('candidate', at(1)).predictionLook).toBeUndefined();
    expect(lookAt(ledger, 1)?.look).toBe(1);
  });

  test('count no row twice that a faulty pod takes back and reports again', () => {
    const ledger = new Ledger(TERMS);
    for (const n of [90, 0, 90, 0, 90]) pass(ledger, 1, [C1, bins(n, 0)], [S1, bins(300, 0)]);
    expect(lookAt(ledger, 1)).toBeUndefined();
  });

  test('tell which predictions a version counts, and that one without a baseline counts none', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, {}], [S1, bins(1, 2)]);
    expect(ledger.evidence('candidate', at(1)).predictions).toEqual([]);
    expect(ledger.evidence('stable', at(1)).predictions).toEqual(['delay']);
  });
});

describe('a shadow', () => {
  const compared = (order: string, all: number, differing: number, failed = 0): Partial<Evidence> => ({
    shadow: {
      order,
      compared: all,
      disagreed: differing,
      skipped: 1,
      failed,
      segments: { BR: { compared: all, disagreed: differing } },
      examples: [{ id: `${all}`, output: 'delay', live: '1', candidate: '2' }],
    },
  });
  const shadowOf = (ledger: Ledger, second = 9) => ledger.evidence('stable', at(second)).shadow;

  test('is added up over the stable pods, those that are gone too', () => {
    const ledger = new Ledger(TERMS);
    ledger.follow('r/0');
    pass(ledger, 1, [S1, compared('r/0', 10, 1)], [S2, compared('r/0', 20, 2, 3)]);
    ledger.keep([S2]);
    pass(ledger, 2, [S2, compared('r/0', 24, 2, 4)]);
    expect(shadowOf(ledger)).toEqual({
      compared: 34,
      disagreed: 3,
      skipped: 2,
      failed: 4,
      // 6 of 33 differ or got no answer, then 1 of 5.
      batches: { count: 2, squaredOverTotal: 36 / 33 + 1 / 5 },
      segments: { BR: { compared: 34, disagreed: 3 } },
      examples: ['10', '20', '24'].map(() => ({ output: 'delay', live: '1', candidate: '2' })),
    });
  });

  test('counts no answers that were compared under another order', () => {
    const ledger = new Ledger(TERMS);
    ledger.follow('r/1');
    pass(ledger, 1, [S1, compared('r/0', 1000, 900)]);
    expect(shadowOf(ledger)).toMatchObject({ compared: 0, disagreed: 0 });
    ledger.follow('r/0');
    pass(ledger, 2, [S1, compared('r/0', 1000, 900)]);
    expect(shadowOf(ledger)).toMatchObject({ compared: 1000 });
    ledger.follow(undefined);
    expect(shadowOf(ledger)).toBeUndefined();
  });

  test('keeps what a process counted that started again', () => {
    const ledger = new Ledger(TERMS);
    ledger.follow('r/0');
    pass(ledger, 1, [S1, compared('r/0', 10, 1)]);
    pass(ledger, 2, [S1, { ...compared('r/0', 4, 1), epoch: 'e2' }]);
    expect(shadowOf(ledger)).toMatchObject({ compared: 14, disagreed: 2 });
  });

  test('is no evidence where the candidate tells it', () => {
    const ledger = new Ledger(TERMS);
    ledger.follow('r/0');
    pass(ledger, 1, [C1, compared('r/0', 10, 9)]);
    expect(shadowOf(ledger)).toMatchObject({ compared: 0 });
    expect(ledger.evidence('candidate', at(1)).shadow).toBeUndefined();
  });

  test('argo-rollouts#4571: a thousand pods with segments and examples of their own need no more room than one', () => {
    const ledger = new Ledger(TERMS);
    ledger.follow('r/0');
    const long = 'x'.repeat(5000);
    for (let i = 0; i < 1000; i++) {
      const examples = [{ id: `${i}`, output: long, live: long, candidate: long }];
      const segments = { [`${i}`]: { compared: 1, disagreed: 1 } };
      const shadow = { order: 'r/0', compared: 1, disagreed: 1, skipped: 0, failed: 0, segments, examples };
      pass(ledger, 1, [pod(`s${i}`, 'stable'), { shadow }]);
      ledger.keep([]);
    }
    const found = shadowOf(ledger);
    expect(found).toMatchObject({ compared: 1000, segments: { other: { compared: 1000 - 64 } } });
    expect(Object.keys(found?.segments ?? {})).toHaveLength(65);
    expect(found?.examples).toHaveLength(5);
    expect(JSON.stringify(found).length).toBeLessThan(8000);
  });
});

describe('copies for a second opinion', () => {
  const copies = (ok: number, serverError: number) => ({ copies: { ok, clientError: 0, serverError, invalid: 0 } });

  test('are counted apart, in batches of a second of their own, and the window of the step is theirs as well', () => {
    const ledger = new Ledger(TERMS);
    pass(ledger, 1, [C1, copies(3, 1)], [C2, copies(4, 0)]);
    ledger.enter('step', START, at(1));
    pass(ledger, 2, [C1, copies(5, 3)], [C2, copies(8, 0)]);
    const { sinceRollout, sinceStep, lifetime } = ledger.evidence('candidate', at(2));
    expect(sinceRollout.copies).toEqual({ ok: 13, clientError: 0, serverError: 3, invalid: 0 });
    expect(sinceStep.copies).toEqual({ ok: 6, clientError: 0, serverError: 2, invalid: 0 });
    expect(sinceStep.batches['copies/errors']).toEqual({ count: 1, squaredOverTotal: 4 / 8 });
    expect([lifetime.ok, lifetime.serverError]).toEqual([0, 0]);
  });

  test('are taken by a version only if all of its pods tell them', () => {
    const ledger = new Ledger(TERMS);
    const takes = () => ledger.evidence('candidate', at(2)).takesCopies;
    expect(takes()).toBeUndefined();
    pass(ledger, 1, [C1, copies(0, 0)]);
    expect(takes()).toBe(true);
    pass(ledger, 2, [C2, {}]);
    expect(takes()).toBeUndefined();
  });
});
