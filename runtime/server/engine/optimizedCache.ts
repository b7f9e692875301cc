import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open as openFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { sentenceOf } from '../../artifact/failure.ts';
import { hashFiles } from '../../artifact/hash.ts';
import type { SessionPlan } from './sessionPlan.ts';

/** File names inside an entry. Large weights lie apart, for a model file can't be larger than 2 GiB. */
export const OPTIMIZED_MODEL = 'model.onnx';
export const OPTIMIZED_WEIGHTS = 'weights.bin';
/** Digest of the other files of an entry: what was not written whole before a node died may have its full length. */
const SEAL = 'digest';

/** Session entries that make ONNX Runtime write the weights of an optimised model to a file of their own. */
export const WEIGHTS_APART = {
  'session.optimized_model_external_initializers_file_name': OPTIMIZED_WEIGHTS,
  'session.optimized_model_external_initializers_min_size_in_bytes': '1024',
} as const;

/** All that an optimised model depends on: kernels are chosen for this very processor by this very library. */
export interface OptimizedKey {
  readonly digest: string;
  readonly path: string;
  readonly version: string;
  readonly processor: string;
  readonly plan: SessionPlan;
}

export function keyOf({ digest, path, version, processor, plan }: OptimizedKey): string {
  const { optimization, entries, gpuProviders } = plan;
  const parts = [
    digest,
    basename(path),
    version,
    processor,
    optimization,
    gpuProviders,
    Object.entries(entries).sort(),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** What distinguishes this processor from others: its architecture and the instruction sets that it has. */
export async function describeProcessor(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return `${arch()} ${/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? ''}`;
}

export interface Opening<Session> {
  readonly directory: string;
  readonly key: string;
  /** Opens what the user gave; where `into` is given, the optimised model is written to that folder too. */
  open(into?: string): Promise<Session>;
  /** Opens an optimised model. */
  openOptimized(path: string): Promise<Session>;
  readonly log: (sentence: string) => void;
}

/**
 * Opens a model by way of a folder of optimised ones. An entry that can't be opened, or whose files are not what was
 * written, is made anew; a folder that can't be written to costs the time of optimising and nothing else. Entries are
 * renamed into place whole.
 */
export async function openCached<Session>(opening: Opening<Session>): Promise<Session> {
  const { directory, key, log } = opening;
  const entry = join(directory, key);
  if (existsSync(join(entry, OPTIMIZED_MODEL))) {
    try {
      await checkSeal(entry);
      return await opening.openOptimized(join(entry, OPTIMIZED_MODEL));
    } catch (error) {
      log(`the optimised model in the cache cannot be used and is made anew: ${sentenceOf(error)}`);
      await rm(entry, { recursive: true, force: true }).catch(() => undefined);
    }
  }
  return openAndKeep(opening, entry);
}

async function openAndKeep<Session>({ directory, key, open, log }: Opening<Session>, entry: string): Promise<Session> {
  const staging = join(directory, `.${key}.${randomUUID()}`);
  const why = await mkdir(staging, { recursive: true }).then(() => undefined, sentenceOf);
  if (why !== undefined) {
    log(`optimised models cannot be kept in engine.cacheDirectory: ${why}`);
    return open();
  }
  try {
    const session = await open(staging);
    await seal(staging).then(
      // Another process may have been first; its entry is as good.
      () => rename(staging, entry).catch(() => undefined),
      (error: unknown) => log(`the optimised model is not kept: ${sentenceOf(error)}`),
    );
    return session;
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
  }
}

const digestOf = async (entry: string): Promise<string> =>
  (
    await hashFiles(
      entry,
      (await readdir(entry)).filter((name) => name !== SEAL),
    )
  ).digest;

/** Writes the digest, after all that it is about has reached the disk. */
async function seal(entry: string): Promise<void> {
  for (const name of await readdir(entry)) await toDisk(join(entry, name));
  await writeFile(join(entry, SEAL), await digestOf(entry), { flush: true });
}

async function toDisk(path: string): Promise<void> {
  const file = await openFile(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function checkSeal(entry: string): Promise<void> {
  const sealed = await readFile(join(entry, SEAL), 'utf8').catch(() => undefined);
  if (sealed !== (await digestOf(entry))) throw new Error('its files are not what was written');
}
