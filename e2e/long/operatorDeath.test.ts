import type { InferenceServiceStatus } from '@slipway/crds';
import { inferenceServices } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { killOperator, operatorIsBack } from '../ground/operator.ts';
import { follow } from '../story/follow.ts';
import { podUids, sameBytesAs } from '../story/rollout.ts';
import { keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';

const NAMESPACE = 'operator-death';
const WAIT_MS = 240_000;
const POLICY = {
  steps: [
    { shadow: 100, for: '3s' },
    { preview: true, for: '3s' },
    { weight: 50, for: '3s' },
    { weight: 100, for: '3s' },
  ],
  bake: '8s',
  guards: [{ name: 'errors', errors: { max: '10%' } }],
};
const PHASES = ['Preparing', 'Shadowing', 'Previewing', 'Shifting', 'Baking'] as const;

let steady: Steady;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, POLICY);
});
afterAll(() => steady?.close());

/** What a rollout that nobody disturbed leaves behind. */
const endOf = ({ stable, candidate, traffic, rejected, conditions }: InferenceServiceStatus) => ({
  version: stable?.version,
  candidate: candidate?.phase ?? 'none',
  programmed: traffic?.programmed,
  rejected: rejected ?? [],
  complete: conditions?.find(({ type }) => type === 'RolloutComplete')?.status,
});

/** Another revision of the same bytes, with the operator killed as soon as the rollout is seen in that phase. */
async function rollOutKilledIn(phase: string | undefined, run: number): Promise<InferenceServiceStatus> {
  const { ground } = steady.stage;
  const key = keyIn(steady.stage, steady.service);
  const { predictor } = sameBytesAs('', 60 + run);
  let killed: Promise<void> | undefined;
  const follower = follow(ground.client, key, ({ status }) => {
    if (status?.candidate?.phase === phase) killed ??= killOperator(ground);
  });
  try {
    await ground.client.merge(inferenceServices, key, { spec: { predictor } });
    const { status } = await awaitGoal(ground.client, inferenceServices, key, 'RolloutComplete', WAIT_MS);
    if (phase !== undefined && killed === undefined) throw new Error(`the rollout was never seen in ${phase}`);
    return status as InferenceServiceStatus;
  } catch (error) {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  } finally {
    await follower.stop();
    await killed;
    await operatorIsBack(ground);
  }
}

describe('a rollout ends as if nothing had happened when the operator was killed while it was', () => {
  let undisturbed: ReturnType<typeof endOf>;
  beforeAll(async () => {
    undisturbed = endOf(await rollOutKilledIn(undefined, 1));
    expect(undisturbed).toMatchObject({ complete: 'True', rejected: [] });
  });

  test.each(PHASES.map((phase, i) => [phase, i + 2] as const))('%s', async (phase, run) => {
    const before = await podUids(steady.stage, NAMESPACE, steady.trained.version.spec.version);
    const status = await rollOutKilledIn(phase, run);
    expect(endOf(status)).toEqual(undisturbed);
    const left = async () =>
      (await podUids(steady.stage, NAMESPACE, steady.trained.version.spec.version)).filter((uid) =>
        before.includes(uid),
      );
    await expect.poll(left, { timeout: WAIT_MS }).toEqual([]);
  });

  test('and no caller noticed', async () => {
    await steady.traffic.hear(100);
    expect(steady.traffic.tally().unexcused.slice(0, 5)).toEqual([]);
  });
});
