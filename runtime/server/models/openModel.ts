import type { ModelSettings } from '@slipway/crds/serving';
import { Failure } from '../../artifact/failure.ts';
import type { ArtifactHash } from '../../artifact/hash.ts';
import { openScheduler } from '../batching/openScheduler.ts';
import type { RunObserver } from '../batching/scheduler.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineOptions } from '../engine/engineOptions.ts';
import { openEngine } from '../engine/openEngine.ts';
import { readBaseline } from '../evidence/baseline.ts';
import { CountingEvidence } from '../evidence/countingEvidence.ts';
import type { Observation } from '../observe/observation.ts';
import { mayShareRuns, openPipeline } from '../pipeline/openPipeline.ts';
import { digestOf } from './digest.ts';
import { fitCores } from './fitCores.ts';
import { fitThreads } from './fitThreads.ts';
import { checkLabels } from './labels.ts';
import { bareModel, type ModelFiles, readModelFiles } from './modelFiles.ts';
import type { FoundModel } from './modelFolder.ts';
import { prove, round, type Surroundings } from './prove.ts';
import type { LoadedModel } from './repository.ts';
import type { ModelIdentity, ServedModel } from './servedModel.ts';
import { agreedSignature } from './signature.ts';
import { sampleInputs } from './warmUp.ts';

/** What the process lends to each model that is opened. */
export interface Workshop extends Surroundings {
  readonly settings: ModelSettings;
  readonly cores: number;
  readonly child?: EngineOptions['child'];
  /** Digest that the files must have; undefined: whatever they have is what is served. */
  readonly digest: string | undefined;
  /** Public key that must have signed the files; undefined: a signature is not asked for. */
  readonly verificationKeyFile?: string | undefined;
  readonly observe: (model: ObservedModel) => Observation;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A new name each time. */
  readonly epoch: () => string;
  readonly now: () => Date;
}

/** What an observation must know of its model. */
export type ObservedModel = Pick<ServedModel, 'identity' | 'signature' | 'labels'> & Pick<CountingEvidence, 'baseline'>;

const NOBODY: RunObserver = { ran() {} };

/**
 * Opens one model: hashed before it is loaded, loaded with what stands around it, held against its signature, labels
 * and baseline, asked its golden requests, warmed up. Throws Failure with one sentence; nothing stays open then.
 */
export async function openModel(found: FoundModel, workshop: Workshop): Promise<LoadedModel> {
  const { settings, log } = workshop;
  const hash = await checkedDigest(found, workshop);
  const identity = { name: found.name, version: found.version, digest: hash.digest };
  const files = found.bare ? bareModel(found.path) : await readModelFiles(found.path);
  const warn = warnOnce(log);
  const open = (threads?: number) =>
    openPipeline(files, {
      open: (path) => openEngine(engineOptions(path, identity, workshop, warn, threads)),
      truncateText: settings.truncateText,
    });
  const sample = ({ signature }: Engine, rows: number) =>
    sampleInputs({ signature, golden: [], batchable: true }, rows);
  const fitted = await fitThreads(open, settings.engine, (engine) => sample(engine, 1));
  const engine = await fitCores(fitted, {
    settings: settings.engine,
    cores: workshop.cores,
    maxSize: settingsFor(files, fitted, settings).batching.maxSize,
    bytes: hash.bytes,
    open,
    sample,
    elapsed: () => performance.now(),
    log: (cores, ratio) =>
      log.info({ model: found.name, cores, ratio: round(ratio) }, 'opened twice: one run a core under load'),
  });
  try {
    const loaded = await proven(found, files, engine, identity, workshop);
    const { name, version } = identity;
    log.info({ model: name, version, backend: engine.backend, providers: engine.providers }, 'opened');
    return loaded;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function checkedDigest(found: FoundModel, workshop: Workshop): Promise<ArtifactHash> {
  const { digest, log } = workshop;
  const hash = await digestOf(found);
  if (digest !== undefined && hash.digest !== digest) {
    throw new Failure('DigestMismatch', `The artifact has digest ${hash.digest}, ${digest} was asked for.`);
  }
  const { files, bytes } = hash;
  log.info(
    { model: found.name, digest: hash.digest, files, bytes },
    digest === undefined ? 'hashed' : 'digest verified',
  );
  await checkSignature(found, hash, workshop);
  return hash;
}

/** On every load, as a key may have been withdrawn since the version was verified. */
async function checkSignature(found: FoundModel, { entries }: ArtifactHash, { verificationKeyFile, log }: Workshop) {
  if (verificationKeyFile === undefined) return;
  const { verifySignature } = await import('../../artifact/signing/verifySignature.ts');
  log.info(
    { model: found.name, key: await verifySignature(found.path, entries, verificationKeyFile) },
    'signature verified',
  );
}

/** Each sentence once a file: a model is opened anew to find out how many threads it runs best with. */
function warnOnce(log: Workshop['log']): (path: string, sentence: string) => void {
  const said = new Set<string>();
  return (path, sentence) => {
    const key = JSON.stringify([path, sentence]);
    if (!said.has(key)) log.warn({ path }, sentence);
    said.add(key);
  };
}

const engineOptions = (
  path: string,
  { digest }: ModelIdentity,
  { settings, cores, child }: Workshop,
  warn: ReturnType<typeof warnOnce>,
  threads: number | undefined,
) => ({
  path,
  digest,
  settings: threads === undefined ? settings.engine : { ...settings.engine, threads },
  cores,
  ...(child ? { child } : {}),
  log: (sentence: string) => warn(path, sentence),
});

async function proven(
  found: FoundModel,
  files: ModelFiles,
  engine: Engine,
  identity: ModelIdentity,
  workshop: Workshop,
): Promise<LoadedModel> {
  const { random, epoch, now, observe, log } = workshop;
  const signature = agreedSignature(files.signature, engine.signature);
  checkLabels(files.labels, signature.outputs);
  const baseline = found.bare ? undefined : await readBaseline(found.path, signature);
  const settings = settingsFor(files, engine, workshop.settings);
  const model = identity.name;
  const open = (observer: RunObserver) =>
    openScheduler({
      engine,
      settings,
      observer,
      onInlineStopped: (ms) => log.warn({ model, ms: round(ms) }, 'a run was too long for the thread of the sockets'),
      onUnshared: (outputs) => log.warn({ model, outputs }, 'outputs depend on their batch: they are run alone'),
    });
  await prove(model, files.golden, signature, settings.batching, open(NOBODY), workshop);
  const { labels } = files;
  const evidence = new CountingEvidence({
    signature,
    baseline,
    labels,
    feedback: settings.feedback,
    epoch: epoch(),
    startedAt: now(),
    random,
  });
  const observation = observe({ identity, signature, labels, baseline });
  const scheduler = open(evidence);
  const served: ServedModel = {
    identity,
    signature,
    labels,
    settings,
    scheduler,
    evidence,
    observation,
    get healthy() {
      return engine.healthy;
    },
    example: files.golden[0]?.inputs,
  };
  const close = async () => {
    await scheduler.close();
    await Promise.all([engine.close(), observation.close()]);
  };
  return { model: served, close };
}

/** The settings as they hold for this model: its batches may be of one request, and its GPU may be missing. */
function settingsFor(files: ModelFiles, engine: Engine, asked: ModelSettings): ModelSettings {
  const providers = asked.engine.providers.filter((provider) => engine.providers.includes(provider));
  const settings = { ...asked, engine: { ...asked.engine, providers } };
  return mayShareRuns(files, engine.signature)
    ? settings
    : { ...settings, batching: { ...settings.batching, maxSize: 1 } };
}
