import type { GuardKind } from '@slipway/crds';
import { diagnose } from '../ground/diagnose.ts';
import { type Rollout, rollOut } from './rollout.ts';
import type { Steady } from './steady.ts';
import { publishFaulty } from './variants/publish.ts';
import type { Fault } from './variants/surgery.ts';

export const CANARY: readonly object[] = [{ weight: 10 }, { weight: 100 }];

export interface FaultyOrder {
  readonly version: string;
  readonly fault: Fault;
  /** The one guard of the policy. */
  readonly guard: Partial<Record<GuardKind, object>>;
  readonly steps?: readonly object[];
}

/** Publishes a faulty version, asks for it under a policy that has one guard, and waits until it was rolled back. */
export async function rolledBack(
  { stage, traffic, trained, service }: Steady,
  { version, fault, guard, steps = CANARY }: FaultyOrder,
): Promise<Rollout> {
  await publishFaulty(stage, trained.version, version, fault);
  const order = { name: service.metadata.name, from: trained.version.spec.version, to: version };
  const policy = { steps, guards: [{ name: 'guard', ...guard }] };
  try {
    return await rollOut(stage, traffic, { ...order, goal: 'RolledBack', policy });
  } catch (error) {
    console.error(await diagnose(stage.ground, stage.namespace));
    throw error;
  }
}

export const rejection = ({ service }: Rollout) => service.status?.rejected?.at(-1)?.reason;
export const verdictOf = ({ service }: Rollout) =>
  service.status?.candidate?.guards?.find(({ name }) => name === 'guard');
