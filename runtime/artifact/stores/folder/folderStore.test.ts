import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { folderOf } from '../place.ts';
import { storeContract } from '../testing/contract.ts';
import { contextIn } from '../testing/ground.ts';

storeContract('pvc', async () => {
  const folder = await temporaryFolder('claims');
  await mkdir(join(folder, 'claims', 'models'), { recursive: true });
  const context = contextIn(folder);
  return { root: 'pvc://models/team', context, fileOf: (uri, { path }) => join(folderOf(uri, context), path) };
});
