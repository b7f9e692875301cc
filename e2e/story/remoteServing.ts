import type { Condition } from '@slipway/crds';
import {
  type InferenceService,
  inferenceServices,
  type ModelVersion,
  modelVersions,
} from '@slipway/operator/api/kinds.ts';
import { expect } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { flightRows } from '../load/rows.ts';
import { modelVersion, smallService, tinyTraining } from './manifests.ts';
import { type RemoteStore, type StoreKind, writePassword } from './remoteStores.ts';
import { sameBytesAs, serve } from './rollout.ts';
import { FIELD_MANAGER, keyIn } from './stage.ts';
import { openTraffic } from './traffic.ts';
import { train } from './training.ts';
import type { Workshop } from './workshop.ts';

/** A verification names its cause when its Job has failed; a pod that fetches when it dies. */
export const TOLD_MS = 120_000;
/** A Secret that was mended reaches a pod within a minute, and the container that waits for it within its back-off. */
export const MENDED_MS = 300_000;
const PER_SECOND = 10;

interface Conditioned {
  readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined;
}

/** The store is named as the cause, and nothing is given up for it. */
export const isRefused = ({ status }: Conditioned): boolean => {
  const all = status?.conditions ?? [];
  const isGivenUp = all.some(({ type, status: truth }) => type === 'Stalled' && truth === 'True');
  return !isGivenUp && all.some(({ reason }) => reason === 'CredentialsRefused');
};

const messageOf = ({ status }: Conditioned): string =>
  status?.conditions?.find(({ reason }) => reason === 'CredentialsRefused')?.message ?? '';

/** spec.publish and spec.model of a job that publishes there. Secret and model are of one name. */
export const publishTo = ({ uri }: RemoteStore, name: string): object => ({
  model: { name },
  publish: { store: uri, secretRef: { name } },
});

/** Another version over the same artifact, with the same Secret. */
const again = ({ metadata, spec }: ModelVersion): ModelVersion =>
  modelVersion(metadata.namespace ?? '', spec.model, '2.0.0', spec.artifact);

/** Asks for a new version and for new pods of the old one, while the store lets nobody in, and for its pardon. */
async function outlastsRotation(shop: Workshop, store: RemoteStore, version: ModelVersion, service: InferenceService) {
  const { stage } = shop;
  const { client } = stage.ground;
  const { name } = service.metadata;
  const next = again(version);
  await writePassword(stage, name, store, 'wrong');
  await client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
  await client.merge(inferenceServices, keyIn(stage, name), { spec: sameBytesAs(version.spec.version) });
  const refused = { what: `${name} to be refused by its store`, timeoutMs: TOLD_MS };
  const told = await Promise.all([
    awaitObject(client, modelVersions, keyIn(stage, next), isRefused, refused),
    awaitObject(client, inferenceServices, keyIn(stage, name), isRefused, refused),
  ]);
  for (const object of told) expect(messageOf(object)).toMatch(/refuses|credentials/i);
  await writePassword(stage, name, store, 'right');
  await Promise.all([
    awaitGoal(client, modelVersions, keyIn(stage, next), 'Ready', MENDED_MS),
    awaitGoal(client, inferenceServices, keyIn(stage, name), 'RolloutComplete', MENDED_MS),
  ]);
}

/**
 * Trains into a store, verifies and serves from it; then its password opens nothing for a while, and is mended. Callers
 * notice none of it.
 */
export async function isServedFrom(shop: Workshop, store: RemoteStore, kind: StoreKind): Promise<void> {
  const { stage } = shop;
  await writePassword(stage, kind, store, 'right');
  const { version } = await train(stage, tinyTraining(stage.namespace, kind, publishTo(store, kind)));
  expect(version.spec.artifact).toMatchObject({ secretRef: { name: kind } });
  expect(version.spec.artifact.uri.startsWith(store.uri)).toBe(true);
  const service = await serve(stage, smallService(version, kind, { steps: [{ weight: 100 }] }));
  const traffic = await openTraffic(stage, service, await flightRows(500), PER_SECOND);
  try {
    await traffic.hear(PER_SECOND);
    await outlastsRotation(shop, store, version, service);
    await traffic.hear(PER_SECOND);
    expect(traffic.tally().unexcused).toEqual([]);
  } finally {
    await traffic.stop();
  }
}
