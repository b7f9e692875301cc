import { modelVersions, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal } from '../ground/await.ts';
import { tinyTraining } from '../story/manifests.ts';
import { isRefused, isServedFrom, MENDED_MS, publishTo, TOLD_MS } from '../story/remoteServing.ts';
import { openRemoteStores, type RemoteStores, writePassword } from '../story/remoteStores.ts';
import { keyIn } from '../story/stage.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

const NAMESPACE = 'more-stores';

let shop: Workshop;
let remote: RemoteStores;
beforeAll(async () => {
  shop = await openWorkshop(NAMESPACE);
  remote = await openRemoteStores();
});
afterAll(async () => {
  await shop?.close();
  await remote?.close();
});

async function isPublishedLater(): Promise<void> {
  const { stage } = shop;
  const { client } = stage.ground;
  const { s3 } = remote.stores;
  const name = 'late';
  await writePassword(stage, name, s3, 'wrong');
  await shop.start(tinyTraining(NAMESPACE, name, publishTo(s3, name)));
  const waiting = await shop.when(name, 'to be refused', isRefused);
  expect(waiting.status?.phase).toBe('Publishing');
  await writePassword(stage, name, s3, 'right');
  const { status } = await awaitGoal(client, trainingJobs, keyIn(stage, name), 'Succeeded', MENDED_MS);
  expect(status).toMatchObject({ attempt: 0, restarts: 0 });
  await awaitGoal(client, modelVersions, keyIn(stage, status?.modelVersion ?? ''), 'Ready', TOLD_MS);
}

describe.concurrent('a model outside the cluster', () => {
  test('is served from a registry, and its password may be rotated away', () =>
    shop.told(() => isServedFrom(shop, remote.stores.oci, 'oci')));
  test('is published as soon as its store lets it: no training is lost to a wrong password', () =>
    shop.told(isPublishedLater));
});
