import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchDataset } from '@slipway/runtime/artifact/stores/fetchDataset.ts';
import { withStore } from '@slipway/runtime/artifact/stores/openStore.ts';
import { failureOf, localFiles, placeAt } from '@slipway/runtime/artifact/stores/testing/ground.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { expect, it } from 'vitest';
import { s3Ground } from './grounds.ts';

/** Files below a prefix, as anybody may have put them there. */
async function prefix() {
  const ground = await s3Ground();
  const { files } = await localFiles({ '2026/01.csv': 10_000, '2026/02.csv': 20_000 });
  const place = placeAt(ground, ground.root);
  const { uri } = await withStore(place, ground.context, (store) => store.put(ground.root, { model: 'data', files }));
  const fetch = (path: string, into: string, digest?: string) => {
    const order = { name: 'train', ...placeAt(ground, `${uri}${path}`), ...(digest === undefined ? {} : { digest }) };
    return fetchDataset(order, into, ground.context);
  };
  return { ground, uri, files, fetch };
}

it('a data set in S3 may be a prefix or an object, and what was found is what can be asked for', async () => {
  const { files, fetch } = await prefix();
  const into = join(await temporaryFolder('input'), 'train');
  const all = await fetch('/', into);
  expect(all.entries.map(({ path, size }) => [path, size])).toEqual([
    ['2026/01.csv', 10_000],
    ['2026/02.csv', 20_000],
  ]);
  expect(await readFile(join(into, '2026/01.csv'))).toEqual(await readFile(files[0]?.from ?? ''));
  expect((await fetch('/', join(await temporaryFolder('input'), 'train'), all.digest)).digest).toBe(all.digest);
  const one = await fetch('/2026/02.csv', join(await temporaryFolder('input'), 'train'));
  expect(one).toMatchObject({ files: 1, bytes: 20_000 });
  expect(one.entries.map(({ path }) => path)).toEqual(['02.csv']);
});

it('a data set in S3 that is not there, or another, is named', async () => {
  const { ground, uri, fetch } = await prefix();
  const into = async () => join(await temporaryFolder('input'), 'train');
  expect((await failureOf(fetch('/2027/', await into()))).reason).toBe('DatasetMissing');
  const { digest } = await fetch('/2026', await into());
  await writeFile(ground.fileOf(uri, { path: '2026/01.csv', sha256: '' }), 'changed');
  expect((await failureOf(fetch('/2026', await into(), digest))).reason).toBe('DatasetInvalid');
});
