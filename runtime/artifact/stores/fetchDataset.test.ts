import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { hashArtifact } from '../hash.ts';
import { fetchDataset } from './fetchDataset.ts';
import { contextIn, failureOf } from './testing/ground.ts';

let folder: string;
const claim = () => join(folder, 'claims', 'data');
const into = () => join(folder, 'input', 'train');
const fetch = (uri: string, digest?: string) =>
  fetchDataset({ name: 'train', uri, ...(digest === undefined ? {} : { digest }) }, into(), contextIn(folder));

beforeEach(async () => {
  folder = await temporaryFolder('dataset');
  await mkdir(join(claim(), 'flights', 'parts'), { recursive: true });
  await mkdir(join(folder, 'input'));
  await writeFile(join(claim(), 'flights', 'parts', '1.csv'), 'a\n1\n');
});

describe('a data set on a claim', () => {
  test('is linked where it lies, and hashed by the rule of artifacts', async () => {
    const found = await fetch('pvc://data/flights/');
    expect(found).toMatchObject({ digest: (await hashArtifact(join(claim(), 'flights'))).digest, files: 1, bytes: 4 });
    expect(found.entries.map(({ path }) => path)).toEqual(['parts/1.csv']);
    expect(await readlink(into())).toBe(join(claim(), 'flights'));
    expect(await readFile(join(into(), 'parts', '1.csv'), 'utf8')).toBe('a\n1\n');
  });

  test('may be one file, which stands in the folder under its own name', async () => {
    const { digest } = await fetch('pvc://data/flights/parts/1.csv');
    expect(await readFile(join(into(), '1.csv'), 'utf8')).toBe('a\n1\n');
    expect((await fetch('pvc://data/flights/parts/1.csv', digest)).digest).toBe(digest);
  });

  test('may be a claim as a whole', async () => {
    expect((await fetch('pvc://data')).entries.map(({ path }) => path)).toEqual(['flights/parts/1.csv']);
  });

  test.each<[string, string, string | undefined, string]>([
    ['is not there', 'pvc://data/gone', undefined, 'DatasetMissing'],
    ['is another', 'pvc://data/flights', `sha256:${'0'.repeat(64)}`, 'DatasetInvalid'],
  ])('that %s is named', async (_what, uri, digest, reason) => {
    expect(await failureOf(fetch(uri, digest))).toMatchObject({ reason, message: expect.stringContaining('train') });
  });

  test('is linked again by a pod that starts again', async () => {
    await fetch('pvc://data/flights/parts/1.csv');
    await fetch('pvc://data/flights');
    await rm(join(claim(), 'flights', 'parts', '1.csv'));
    expect((await failureOf(fetch('pvc://data/flights/parts/1.csv'))).reason).toBe('DatasetMissing');
  });
});
