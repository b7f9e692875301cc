import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DATASET_MANIFEST_SUFFIX,
  type DatasetManifest,
  type DatasetOrder,
  datasetManifestSchema,
} from '@slipway/crds/contract';
import { jsonOf } from '../artifact/json.ts';

/** What fetchDataset says of what it fetched. */
export interface Fetched {
  readonly digest: string;
  readonly bytes: number;
  readonly entries: readonly DatasetManifest['files'][number][];
}
export type Fetch = (order: DatasetOrder, into: string) => Promise<Fetched>;

export interface Provision {
  /** The folder of inputs, on the workspace that all attempts share. */
  readonly inputDir: string;
  /** Name of this pod: what it has not finished bears it. */
  readonly owner: string;
  readonly fetch: Fetch;
  readonly say: (line: string) => void;
}

const manifestPath = (inputDir: string, name: string): string => join(inputDir, `${name}${DATASET_MANIFEST_SUFFIX}`);

export async function readManifest(inputDir: string, name: string): Promise<DatasetManifest | undefined> {
  const text = await readFile(manifestPath(inputDir, name), 'utf8').catch(() => '');
  const parsed = datasetManifestSchema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : undefined;
}

async function sizesHold(folder: string, { files }: DatasetManifest): Promise<boolean> {
  for (const { path, size } of files) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.size !== size) return false;
  }
  return true;
}

/**
 * Whether what an attempt before this one fetched stands here still. A data set of a claim is only linked, and the claim
 * may hold something else by now, so it is hashed at each start.
 */
async function stands({ inputDir }: Provision, order: DatasetOrder): Promise<DatasetManifest | undefined> {
  if (order.uri.startsWith('pvc://')) return undefined;
  const manifest = await readManifest(inputDir, order.name);
  if (manifest === undefined || manifest.uri !== order.uri) return undefined;
  if (order.digest !== undefined && order.digest !== manifest.digest) return undefined;
  return (await sizesHold(join(inputDir, order.name), manifest)) ? manifest : undefined;
}

/**
 * Takes over by its name what a pod before this one left half fetched: from then on that pod, should it live on
 * somewhere, has no folder to write into any more, and this one does not begin from nothing.
 */
async function ownFolder({ inputDir, owner }: Provision, name: string): Promise<string> {
  const begun = `${name}.fetching.`;
  const mine = join(inputDir, `${begun}${owner}`);
  for (const found of await readdir(inputDir)) {
    if (!found.startsWith(begun) || found === `${begun}${owner}`) continue;
    const taken = await rename(join(inputDir, found), mine).then(
      () => true,
      () => false,
    );
    if (!taken) await rm(join(inputDir, found), { recursive: true, force: true });
  }
  return mine;
}

async function fetchOne(provision: Provision, order: DatasetOrder): Promise<DatasetManifest> {
  const { inputDir, fetch, say } = provision;
  const partial = await ownFolder(provision, order.name);
  say(`fetching data set ${order.name} from ${order.uri}`);
  const { digest, bytes, entries } = await fetch(order, partial);
  const folder = join(inputDir, order.name);
  await rm(manifestPath(inputDir, order.name), { force: true });
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  const files = entries.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  const manifest: DatasetManifest = { name: order.name, uri: order.uri, digest, bytes, files };
  const aside = join(inputDir, `${order.name}${DATASET_MANIFEST_SUFFIX}.next`);
  await writeFile(aside, `${JSON.stringify(manifest, undefined, 2)}\n`);
  await rename(aside, manifestPath(inputDir, order.name));
  say(`data set ${order.name} is ${digest}, ${bytes} bytes in ${files.length} files`);
  return manifest;
}

/** Makes each data set stand at <inputDir>/<name>, with its manifest beside it. Fetches what does not stand there yet. */
export async function provide(provision: Provision, orders: readonly DatasetOrder[]): Promise<DatasetManifest[]> {
  if (orders.length > 0) await mkdir(provision.inputDir, { recursive: true });
  const manifests: DatasetManifest[] = [];
  for (const order of orders) {
    const found = await stands(provision, order);
    if (found !== undefined) provision.say(`data set ${order.name} stands here since an earlier attempt`);
    manifests.push(found ?? (await fetchOne(provision, order)));
  }
  return manifests;
}
