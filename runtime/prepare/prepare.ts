import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DatasetManifest,
  FILES,
  type Gathering,
  PREPARED_SCHEMA,
  type PreparedReport,
} from '@slipway/crds/contract';
import { latestCheckpoint, linkLatest } from './checkpoints.ts';
import type { PrepareConfig } from './config.ts';
import { type Fetch, provide, readManifest } from './datasets.ts';
import { gather, type Heard, join as joinGang, type Meeting } from './gathering.ts';

export interface PrepareHands {
  readonly fetch: Fetch;
  readonly ask: (rank: number) => Promise<Heard>;
  readonly say: (line: string) => void;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** Name of this pod. */
  readonly owner: string;
}

/** Leaves for this pod's agent what it tells the others: whole, or not at all. */
const teller = (statusDir: string) => async (gathering: Gathering) => {
  const path = join(statusDir, FILES.gathering);
  await writeFile(`${path}.next`, JSON.stringify(gathering));
  await rename(`${path}.next`, path);
};

/** What pods of the same attempt left that were taken back before they were done. The folder itself is a mount. */
async function empty(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/**
 * Everything before training: pod 0 fetches the data sets and links the newest checkpoint, as the pods of a job share
 * both; then all meet. Returns what was prepared, the same in every pod. Throws Failure.
 */
export async function prepare(config: PrepareConfig, hands: PrepareHands): Promise<PreparedReport> {
  const { peers, rank, timeoutMs } = config;
  const tell = teller(config.statusDir);
  const meeting: Meeting | undefined = peers && { peers, rank, timeoutMs, tell, ...hands };
  if (rank !== 0 && meeting !== undefined) {
    await joinGang(meeting);
    return reportOf(await knownManifests(config), await latestCheckpoint(config.checkpointDir));
  }
  if (meeting !== undefined) await tell({ stage: 'Preparing', missing: [] });
  await empty(config.outputDir);
  const manifests = await provide({ inputDir: config.inputDir, ...hands }, config.datasets);
  const latest = await linkLatest(config.checkpointDir);
  if (latest !== undefined) hands.say(`training can go on from checkpoint ${latest}`);
  if (meeting !== undefined) await gather(meeting);
  return reportOf(manifests, latest);
}

async function knownManifests({ inputDir, datasets }: PrepareConfig): Promise<DatasetManifest[]> {
  const found = await Promise.all(datasets.map(({ name }) => readManifest(inputDir, name)));
  return found.filter((manifest) => manifest !== undefined);
}

const reportOf = (manifests: readonly DatasetManifest[], latest: string | undefined): PreparedReport => ({
  schema: PREPARED_SCHEMA,
  datasets: manifests.map(({ name, digest, bytes }) => ({ name, digest, bytes })),
  ...(latest === undefined ? {} : { resumedFrom: latest }),
});
