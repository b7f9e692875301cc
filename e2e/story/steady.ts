import { type PersistentVolumeClaim, persistentVolumeClaims } from '@slipway/operator/api/builtin.ts';
import type { InferenceService, ModelVersion } from '@slipway/operator/api/kinds.ts';
import { diagnose } from '../ground/diagnose.ts';
import { openGround } from '../ground/ground.ts';
import { ensureRestrictedNamespace } from '../ground/namespaces.ts';
import { flightRows } from '../load/rows.ts';
import { claim, smallService, tinyTraining } from './manifests.ts';
import { serve } from './rollout.ts';
import { FIELD_MANAGER, type Stage } from './stage.ts';
import { openTraffic, type Traffic } from './traffic.ts';
import { type Trained, train } from './training.ts';

/** A namespace of its own in which one trained version serves and is being asked: what must not be disturbed. */
export interface Steady {
  readonly stage: Stage;
  readonly trained: Trained;
  readonly service: InferenceService;
  readonly traffic: Traffic;
  close(): Promise<void>;
}

const PER_SECOND = 40;

export interface SteadyOptions {
  /** Requests a second. Default 40. */
  readonly perSecond?: number;
}

async function settle(stage: Stage, rollout: object, perSecond: number): Promise<Omit<Steady, 'close' | 'stage'>> {
  const { client } = stage.ground;
  await ensureRestrictedNamespace(client, stage.namespace);
  const store = claim(stage.namespace) as PersistentVolumeClaim;
  await client.apply(persistentVolumeClaims, store, { fieldManager: FIELD_MANAGER });
  const trained = await train(stage, tinyTraining(stage.namespace, 'tiny'));
  const service = await serve(stage, smallService(trained.version, stage.namespace, rollout));
  const traffic = await openTraffic(stage, service, await flightRows(2000), perSecond);
  return { trained, service, traffic };
}

export async function openSteady(
  namespace: string,
  rollout: object,
  { perSecond = PER_SECOND }: SteadyOptions = {},
): Promise<Steady> {
  const ground = await openGround();
  const stage: Stage = { ground, namespace, tell: (what) => console.error(`  ${what}`) };
  await ground.kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=90s');
  try {
    const settled = await settle(stage, rollout, perSecond);
    const close = async (): Promise<void> => {
      await settled.traffic.stop();
      await ground.kubectl('delete', 'namespace', namespace, '--wait=false');
      await ground.close();
    };
    return { stage, ...settled, close };
  } catch (error) {
    console.error(await diagnose(ground, namespace));
    throw error;
  }
}

/** Another service in the same namespace, with its own host and traffic. 0 requests a second: nobody asks it. `spec`: fields to replace. */
export async function serveBeside(
  { stage, trained }: Steady,
  version: ModelVersion,
  name: string,
  rollout: object,
  perSecond: number = PER_SECOND,
  spec: object = {},
): Promise<Steady> {
  const manifest = smallService(version, name, rollout);
  const service = await serve(stage, { ...manifest, spec: { ...manifest.spec, ...spec } });
  const traffic = await openTraffic(stage, service, await flightRows(2000), perSecond);
  return { stage, trained, service, traffic, close: () => traffic.stop() };
}
