import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { sentenceOf } from '../../artifact/failure.ts';
import type { SessionPlan } from './sessionPlan.ts';

/** File names inside an entry. Large weights lie apart, for a model file can't be larger than 2 GiB. */
export const OPTIMIZED_MODEL = 'model.onnx';
export const OPTIMIZED_WEIGHTS = 'weights.bin';

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
 * Opens a model by way of a folder of optimised ones. An entry that can't be opened is made anew; a folder that can't be
 * written to costs the time of optimising and nothing else. Entries are renamed into place whole.
 */
export async function openCached<Session>(opening: Opening<Session>): Promise<Session> {
  const { directory, key, log } = opening;
  const entry = join(directory, key);
  if (existsSync(join(entry, OPTIMIZED_MODEL))) {
    try {
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
    // Another process may have been first; its entry is as good.
    await rename(staging, entry).catch(() => undefined);
    return session;
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
  }
}
