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
    ledger.closePass(at(second));
    ledger.enter('5', at(stepAt), at(second));
  }
}
const recentAt = (ledger: Ledger, second: number) => ledger.evidence('v1', at(second)).recent;

test('the last one to two blocks of 5 s are a window of their own, counted from the beginning of the step', () => {
  const ledger = ledgerOf();
  run(ledger, 0, 4);
  expect(recentAt(ledger, 4)).toBeUndefined();
  run(ledger, 5, 5);
  expect(recentAt(ledger, 5)).toMatchObject({ window: 1, seconds: 5 });
  const long = ledgerOf();
  run(long, 0, 19);
  // Since the block before the last began, at second 10: its own pass is the base.
  expect(recentAt(long, 19)).toMatchObject({ window: 3, seconds: 9, tally: { ok: 90 } });
  run(long, 0, 20);
  expect(recentAt(long, 20)?.window).toBe(4);
});

test('a restart in mid-step goes on with the next window: no share of the risk is spent twice', () => {
  const ledger = ledgerOf();
  run(ledger, 100, 110);
  expect(recentAt(ledger, 110)?.window).toBe(22);
});

test('a new step begins at the first window again', () => {
  const ledger = ledgerOf();
  run(ledger, 0, 40);
  ledger.enter('25', at(41), at(41));
  expect(recentAt(ledger, 41)).toBeUndefined();
});
