import { expect, test } from 'vitest';
import { answered, evidenceDocument } from '../../test/evidenceDocument.ts';
import { Ledger } from './ledger.ts';

const START = new Date('2030-01-01T12:00:00Z');
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);
const POD = { uid: 'a', name: 'a', ip: '10.0.0.1', revision: 'v1' };
const ledgerOf = () =>
  new Ledger({ rolloutID: 'r', startedAt: START, candidate: 'v1', thresholdsMs: [], predictions: false });

/** Ten requests a second from `from` on, looked at each second of the step. */
function run(ledger: Ledger, from: number, until: number, stepAt = 0): void {
  for (let second = from; second <= until; second++) {
    ledger.record(POD, evidenceDocument({ requests: answered((second - from + 1) * 10) }), at(second));
    ledger.closePass();
    ledger.enter('5', at(stepAt), at(second));
  }
}
const recentAt = (ledger: Ledger, second: number) => ledger.evidence('v1', at(second)).recent;

test('the last one to two blocks of 15 s are a window of their own, counted from the beginning of the step', () => {
  const ledger = ledgerOf();
  run(ledger, 0, 14);
  expect(recentAt(ledger, 14)).toBeUndefined();
  run(ledger, 15, 15);
  expect(recentAt(ledger, 15)).toMatchObject({ window: 1, seconds: 15 });
  const long = ledgerOf();
  run(long, 0, 59);
  // Since the block before the last began, at second 30: its own pass is the base.
  expect(recentAt(long, 59)).toMatchObject({ window: 3, seconds: 29, tally: { ok: 290 } });
  run(long, 0, 60);
  expect(recentAt(long, 60)?.window).toBe(4);
});

test('a restart in mid-step goes on with the next window: no share of the risk is spent twice', () => {
  const ledger = ledgerOf();
  run(ledger, 100, 110);
  expect(recentAt(ledger, 110)?.window).toBe(7);
});

test('a new step begins at the first window again', () => {
  const ledger = ledgerOf();
  run(ledger, 0, 40);
  ledger.enter('25', at(41), at(41));
  expect(recentAt(ledger, 41)).toBeUndefined();
});
