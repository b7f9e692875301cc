import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CANARY, rejection, rolledBack, verdictOf } from '../story/faulty.ts';
import { openSteady, type Steady } from '../story/steady.ts';

const NAMESPACE = 'more-faults';
const PER_SECOND = 100;

let steady: Steady;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: CANARY }, { perSecond: PER_SECOND });
});
afterAll(() => steady?.close());

const answersOf = (wanted: string) => steady.traffic.answers.filter(({ version }) => version === wanted);

describe('a version that is rolled back', () => {
  test('because it is slow, though every answer is right', async () => {
    const guard = { latency: { threshold: '20ms', quantile: 90 } };
    const rollout = await rolledBack(steady, { version: '2.0.0', fault: { kind: 'slow', products: 60 }, guard });
    expect(rejection(rollout)).toBe('GuardFailed');
    expect(verdictOf(rollout)).toMatchObject({ verdict: 'Fail', limit: '10%' });
    expect(answersOf('2.0.0').length).toBeGreaterThan(0);
    expect(answersOf('2.0.0').filter(({ sound }) => !sound)).toEqual([]);
  });

  test('because some of its answers are no numbers', async () => {
    const fault = { kind: 'notANumber', fromHour: 18 } as const;
    const rollout = await rolledBack(steady, { version: '3.0.0', fault, guard: { invalidOutputs: { max: '1%' } } });
    expect(rejection(rollout)).toBe('GuardFailed');
    expect(verdictOf(rollout)).toMatchObject({ verdict: 'Fail', limit: '1%' });
  });

  test('leaves the stable version serving, and no answer lost but its own', async () => {
    await steady.traffic.hear(PER_SECOND);
    expect(steady.traffic.tally('2.0.0', '3.0.0').unexcused.slice(0, 5)).toEqual([]);
  });
});
