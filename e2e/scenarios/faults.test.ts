import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultOf } from '../load/ledger.ts';
import { CANARY, rejection, rolledBack, verdictOf } from '../story/faulty.ts';
import { openSteady, type Steady } from '../story/steady.ts';

const NAMESPACE = 'faults';
const PER_SECOND = 100;
const SHADOW = [{ shadow: 100 }, ...CANARY];
/**
 * Far under the time a step may last: it was evidence that ended it. No closer, as three scenarios share two cores
 * here (8.4 s was seen); what it takes on a quiet machine is measured by make bench-rollout.
 */
const FAULT_TO_ZERO_MS = 30_000;

let steady: Steady;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: CANARY }, { perSecond: PER_SECOND });
});
afterAll(() => steady?.close());

const answersOf = (wanted: string) => steady.traffic.answers.filter(({ version }) => version === wanted);

describe('a version that is rolled back', () => {
  test('because a third of its requests fail: seconds after the first failure nobody gets it any more', async () => {
    const fault = { kind: 'failing', share: 0.3 } as const;
    const rollout = await rolledBack(steady, { version: '2.0.0', fault, guard: { errors: { max: '5%' } } });
    expect(rejection(rollout)).toBe('GuardFailed');
    expect(verdictOf(rollout)).toMatchObject({ verdict: 'Fail', limit: '5%' });
    await steady.traffic.hear(PER_SECOND);
    const seen = faultOf(steady.traffic.answers, '2.0.0');
    expect((seen?.lastAnswerAt ?? Number.NaN) - (seen?.firstFaultAt ?? 0)).toBeLessThan(FAULT_TO_ZERO_MS);
  });

  test('because it answers fast and wrong for weekends: copies showed it, and no user ever got an answer of it', async () => {
    const guard = { disagreement: { max: '5%', compare: 'tolerance', tolerance: '0.001' } };
    const order = { version: '3.0.0', fault: { kind: 'swapped' }, guard, steps: SHADOW } as const;
    const rollout = await rolledBack(steady, order);
    expect(rejection(rollout)).toBe('GuardFailed');
    expect(verdictOf(rollout)).toMatchObject({ verdict: 'Fail', limit: '5%' });
    expect(answersOf('3.0.0')).toEqual([]);
  });

  test('because its predictions are distributed otherwise, without a single error', async () => {
    const steps = [{ weight: 50 }, { weight: 100 }];
    const guard = { predictionShift: { psi: '0.2' } };
    const rollout = await rolledBack(steady, { version: '4.0.0', fault: { kind: 'shifted' }, guard, steps });
    expect(rejection(rollout)).toBe('GuardFailed');
    expect(Number(verdictOf(rollout)?.rate)).toBeGreaterThan(0.2);
    expect(answersOf('4.0.0').filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('leaves the stable version serving, and no answer lost but its own', async () => {
    await steady.traffic.hear(PER_SECOND);
    expect(steady.traffic.tally('2.0.0', '3.0.0', '4.0.0').unexcused.slice(0, 5)).toEqual([]);
  });
});
