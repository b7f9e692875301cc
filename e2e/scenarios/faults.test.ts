import type { GuardKind } from '@slipway/crds';
import type { ModelVersion } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../ground/diagnose.ts';
import { faultOf } from '../load/ledger.ts';
import { type Rollout, rollOut } from '../story/rollout.ts';
import { openSteady, type Steady } from '../story/steady.ts';
import { publishFaulty } from '../story/variants/publish.ts';
import type { Fault } from '../story/variants/surgery.ts';

const NAMESPACE = 'faults';
const PER_SECOND = 100;
const CANARY = [{ weight: 10 }, { weight: 100 }];
const SHADOW = [{ shadow: 100 }, ...CANARY];
/** At 100 requests a second a slower verdict would have shown the fault to dozens of users more. */
const FAULT_TO_ZERO_MS = 4000;

let steady: Steady;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: CANARY }, { perSecond: PER_SECOND });
});
afterAll(() => steady?.close());

let major = 1;
const publish = async (fault: Fault): Promise<ModelVersion> => {
  major += 1;
  return publishFaulty(steady.stage, steady.trained.version, `${major}.0.0`, fault);
};

/** Asks for a faulty version under a policy that has one guard, and waits until it was rolled back. */
async function rolledBack(
  fault: Fault,
  guard: Partial<Record<GuardKind, object>>,
  steps: readonly object[] = CANARY,
): Promise<Rollout & { readonly version: string }> {
  const { version } = (await publish(fault)).spec;
  const from = steady.trained.version.spec.version;
  const policy = { steps, guards: [{ name: 'guard', ...guard }] };
  try {
    const name = steady.service.metadata.name;
    return {
      ...(await rollOut(steady.stage, steady.traffic, { name, from, to: version, goal: 'RolledBack', policy })),
      version,
    };
  } catch (error) {
    console.error(await diagnose(steady.stage.ground, NAMESPACE));
    throw error;
  }
}

const reason = ({ service }: Rollout): string | undefined => service.status?.rejected?.at(-1)?.reason;
const verdict = ({ service }: Rollout) => service.status?.candidate?.guards?.find(({ name }) => name === 'guard');
const answersOf = (version: string): number => steady.traffic.answers.filter((a) => a.version === version).length;

describe('a version that is rolled back', () => {
  test('because a third of its requests fail: seconds after the first failure nobody gets it any more', async () => {
    const rollout = await rolledBack({ kind: 'failing', share: 0.3 }, { errors: { max: '5%' } });
    expect(reason(rollout)).toBe('GuardFailed');
    expect(verdict(rollout)).toMatchObject({ verdict: 'Fail', limit: '5%' });
    await steady.traffic.hear(PER_SECOND);
    const fault = faultOf(steady.traffic.answers, rollout.version);
    expect((fault?.lastAnswerAt ?? Number.NaN) - (fault?.firstFaultAt ?? 0)).toBeLessThan(FAULT_TO_ZERO_MS);
  });

  test('because it is slow, though every answer is right', async () => {
    const guard = { latency: { threshold: '20ms', quantile: 90 } };
    const rollout = await rolledBack({ kind: 'slow', products: 60 }, guard);
    expect(reason(rollout)).toBe('GuardFailed');
    expect(verdict(rollout)).toMatchObject({ verdict: 'Fail', limit: '10%' });
    const own = steady.traffic.answers.filter(({ version }) => version === rollout.version);
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ sound }) => !sound)).toEqual([]);
  });

  test('because it answers fast and wrong for weekends: copies showed it, and no user ever got an answer of it', async () => {
    const guard = { disagreement: { max: '5%', compare: 'tolerance', tolerance: '0.001' } };
    const rollout = await rolledBack({ kind: 'swapped' }, guard, SHADOW);
    expect(reason(rollout)).toBe('GuardFailed');
    expect(verdict(rollout)).toMatchObject({ verdict: 'Fail', limit: '5%' });
    expect(answersOf(rollout.version)).toBe(0);
  });

  test('because some of its answers are no numbers', async () => {
    const rollout = await rolledBack({ kind: 'notANumber', fromHour: 18 }, { invalidOutputs: { max: '1%' } });
    expect(reason(rollout)).toBe('GuardFailed');
    expect(verdict(rollout)).toMatchObject({ verdict: 'Fail', limit: '1%' });
  });

  test('because its predictions are distributed otherwise, without a single error', async () => {
    const rollout = await rolledBack({ kind: 'shifted' }, { predictionShift: { psi: '0.2' } }, [
      { weight: 50 },
      { weight: 100 },
    ]);
    expect(reason(rollout)).toBe('GuardFailed');
    expect(Number(verdict(rollout)?.rate)).toBeGreaterThan(0.2);
    expect(
      steady.traffic.answers.filter(({ version, status }) => version === rollout.version && status !== 200),
    ).toEqual([]);
  });

  test('leaves the stable version serving, and no answer lost but its own', async () => {
    await steady.traffic.hear(100);
    const bad = Array.from({ length: major - 1 }, (_, i) => `${i + 2}.0.0`);
    expect(steady.traffic.tally(...bad).unexcused.slice(0, 5)).toEqual([]);
  });
});
