import { afterAll, beforeAll, test } from 'vitest';
import { isServedFrom } from '../story/remoteServing.ts';
import { openRemoteStores, type RemoteStores } from '../story/remoteStores.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

let shop: Workshop;
let remote: RemoteStores;
beforeAll(async () => {
  shop = await openWorkshop('bucket');
  remote = await openRemoteStores();
});
afterAll(async () => {
  await shop?.close();
  await remote?.close();
});

test('a model is trained into a bucket, verified and served from it, and a password that was rotated away stops nothing that serves', () =>
  shop.told(() => isServedFrom(shop, remote.stores.s3, 's3')));
