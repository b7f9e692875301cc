import { EVIDENCE_SCHEMA, type Evidence } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestsOf } from '../domain/analysis/tally.ts';
import { Ledger, type LedgerTerms } from './ledger.ts';

const START = new Date('2030-01-01T12:00:00Z');
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);
const POD = { uid: 'a', name: 'pod-a', ip: '10.0.0.1', revision: 'v1' };
const TERMS: LedgerTerms = {
  rolloutID: 'r',
  startedAt: START,
  candidate: 'v1',
  stable: 'v0',
  thresholdsMs: [],
  predictions: false,
};

const evidence = (ok: number, { epoch = 'e1', startedAt = at(5), serverError = 0 } = {}): Evidence => ({
  schema: EVIDENCE_SCHEMA,
  epoch,
  startedAt: startedAt.toISOString(),
  at: START.toISOString(),
  model: { name: 'flights', version: '1.1.0', digest: 'sha256:1' },
  ready: true,
  draining: false,
  inFlight: 0,
  requests: { ok, clientError: 0, serverError, shed: 0 },
  batches: { seconds: 1, failedSquaredOverServed: 0 },
  latency: { boundsMs: [], counts: [0], sumMs: 0 },
});

describe('the ledger of a rollout', () => {
  test('counts a process that is younger than the rollout in full', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40), at(10));
    expect(ledger.evidence('v1', at(10)).sinceRollout.ok).toBe(40);
  });

  test('counts an older one from its first sight on, and remembers its life', () => {
    const ledger = new Ledger(TERMS);
    const older = { startedAt: at(-3600) };
    ledger.record(POD, evidence(1000, older), at(1));
    ledger.record(POD, evidence(1010, older), at(2));
    expect(ledger.evidence('v1', at(2))).toMatchObject({ sinceRollout: { ok: 10 }, lifetime: { ok: 1010 } });
  });

  test('adds a restarted process up without counting the first one twice', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40), at(10));
    ledger.record(POD, evidence(3, { epoch: 'e2', startedAt: at(12) }), at(13));
    ledger.record(POD, evidence(5, { epoch: 'e2', startedAt: at(12) }), at(14));
    expect(ledger.evidence('v1', at(14)).sinceRollout.ok).toBe(45);
  });

  test('tells how many processes counted what it holds, those that ended and pods that are gone included', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40), at(10));
    ledger.record({ ...POD, uid: 'b' }, evidence(40), at(10));
    expect(ledger.evidence('v1', at(10)).processes).toBe(2);
    ledger.record(POD, evidence(3, { epoch: 'e2', startedAt: at(12) }), at(13));
    ledger.keep([POD]);
    expect(ledger.evidence('v1', at(13))).toMatchObject({ processes: 3, lifetime: { ok: 83 } });
    expect(ledger.evidence('v0', at(13)).processes).toBe(0);
  });

  test('calls no pod answering that was last seen before the clock was set back', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40), at(3600));
    expect(ledger.evidence('v1', at(3605)).answering).toBe(1);
    expect(ledger.evidence('v1', at(10)).answering).toBe(0);
  });

  test('keeps what a pod counted that is gone, and no longer calls it answering', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40, { serverError: 4 }), at(10));
    ledger.keep([]);
    expect(ledger.evidence('v1', at(10))).toMatchObject({
      answering: 0,
      digests: [],
      sinceRollout: { ok: 40, serverError: 4 },
    });
  });

  test('calls a pod that was silent for more than five seconds not answering', () => {
    const ledger = new Ledger(TERMS);
    ledger.record(POD, evidence(40), at(10));
    expect(ledger.evidence('v1', at(15)).answering).toBe(1);
    expect(ledger.evidence('v1', at(16)).answering).toBe(0);
  });

  test('begins a new window with each step, and only then', () => {
    const ledger = new Ledger(TERMS);
    ledger.enter('5', at(1), at(1));
    ledger.record(POD, evidence(40), at(10));
    ledger.enter('5', at(10), at(10));
    expect(ledger.evidence('v1', at(10)).sinceStep.ok).toBe(40);
    ledger.enter('25', at(11), at(11));
    ledger.record(POD, evidence(50), at(12));
    expect(ledger.evidence('v1', at(12))).toMatchObject({
      sinceStep: { ok: 10 },
      sinceRollout: { ok: 50 },
      stepSeconds: 1,
    });
  });

  test('counts each request once, however processes come and go between looks', () => {
    const history = fc.array(fc.record({ served: fc.nat(100), restarts: fc.boolean(), seen: fc.boolean() }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(history, (looks) => {
        const ledger = new Ledger(TERMS);
        let [epoch, inEpoch, seenInEpoch, closed] = [0, 0, 0, 0];
        for (const { served, restarts, seen } of looks) {
          if (restarts) [epoch, closed, inEpoch, seenInEpoch] = [epoch + 1, closed + seenInEpoch, 0, 0];
          inEpoch += served;
          if (!seen) continue;
          seenInEpoch = inEpoch;
          ledger.record(POD, evidence(inEpoch, { epoch: `e${epoch}` }), at(10));
        }
        expect(requestsOf(ledger.evidence('v1', at(10)).sinceRollout)).toBe(closed + seenInEpoch);
      }),
    );
  });
});
