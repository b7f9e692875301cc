import { FILES } from '@slipway/crds/contract';
import type { ModelSettings } from '@slipway/crds/serving';
import { Failure } from '../../artifact/failure.ts';
import type { ArtifactHash } from '../../artifact/hash.ts';
import { openScheduler } from '../batching/openScheduler.ts';
import { answerOf, type RunObserver, type Scheduler } from '../batching/scheduler.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineOptions } from '../engine/engineOptions.ts';
import { openEngine } from '../engine/openEngine.ts';
import { readBaseline } from '../evidence/baseline.ts';
import { CountingEvidence } from '../evidence/countingEvidence.ts';
import type { Observation } from '../observe/observation.ts';
import { mayShareRuns, openPipeline } from '../pipeline/openPipeline.ts';
import type { TensorValue } from '../tensor.ts';
import { digestOf } from './digest.ts';
import { fitThreads } from './fitThreads.ts';
import { type Run, replayGolden } from './golden.ts';
import { checkLabels } from './labels.ts';
import { bareModel, type ModelFiles, readModelFiles } from './modelFiles.ts';
import type { FoundModel } from './modelFolder.ts';
import type { LoadedModel } from './repository.ts';
import type { ModelIdentity, ServedModel } from './servedModel.ts';
import { agreedSignature } from './signature.ts';
import { sampleInputs, type WarmUp, warmUp } from './warmUp.ts';

/** What the process lends to each model that is opened. */
export interface Workshop {
  readonly settings: ModelSettings;
  readonly cores: number;
  readonly child?: EngineOptions['child'];
  /** Digest that the files must have; undefined: whatever they have is what is served. */
  readonly digest: string | undefined;
  readonly observe: (model: ObservedModel) => Observation;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A new name each time. */
  readonly epoch: () => string;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  readonly now: () => Date;
  readonly log: ModelLog;
}

/** What is said while a model is opened. */
export interface ModelLog {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
}

/** What an observation must know of its model. */
export type ObservedModel = Pick<ServedModel, 'identity' | 'signature' | 'labels'> & Pick<CountingEvidence, 'baseline'>;

const WARM_UP_BUDGET_MS = 2000;
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
  const engine = await fitThreads(
    (threads) =>
      openPipeline(files, {
        open: (path) => openEngine(engineOptions(path, identity, workshop, threads)),
        truncateText: settings.truncateText,
      }),
    settings.engine,
    ({ signature }) => sampleInputs({ signature, golden: [], batchable: true }, 1),
  );
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

async function checkedDigest(found: FoundModel, { digest, log }: Workshop): Promise<ArtifactHash> {
  const hash = await digestOf(found);
  if (digest !== undefined && hash.digest !== digest) {
    throw new Failure('DigestMismatch', `The artifact has digest ${hash.digest}, ${digest} was asked for.`);
  }
  const { files, bytes } = hash;
  log.info(
    { model: found.name, digest: hash.digest, files, bytes },
    digest === undefined ? 'hashed' : 'digest verified',
  );
  return hash;
}

const engineOptions = (
  path: string,
  { digest }: ModelIdentity,
  { settings, cores, child, log }: Workshop,
  threads: number | undefined,
) => ({
  path,
  digest,
  settings: threads === undefined ? settings.engine : { ...settings.engine, threads },
  cores,
  ...(child ? { child } : {}),
  log: (sentence: string) => log.warn({ path }, sentence),
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
  const open = (observer: RunObserver) =>
    openScheduler({
      engine,
      settings,
      observer,
      onInlineStopped: (ms) => log.warn({ model: identity.name, ms: round(ms) }, 'a run was too long for this thread'),
    });
  await prove(identity, files, signature, settings, open(NOBODY), workshop);
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
  const model: ServedModel = {
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
  return { model, close };
}

const settingsFor = (files: ModelFiles, engine: Engine, settings: ModelSettings): ModelSettings =>
  mayShareRuns(files, engine.signature) ? settings : { ...settings, batching: { ...settings.batching, maxSize: 1 } };

/** Golden requests and warm-up go the way of live requests, over a queue of their own: nothing counts them. */
async function prove(
  identity: ModelIdentity,
  { golden }: ModelFiles,
  signature: ServedModel['signature'],
  { batching }: ModelSettings,
  scheduler: Scheduler,
  { elapsed, log }: Workshop,
): Promise<void> {
  const run = runBy(scheduler);
  const model = identity.name;
  try {
    if (golden.length === 0) log.warn({ model }, `no ${FILES.golden}: its answers here are not proven`);
    const { batchable } = scheduler;
    const warmed = await warmUp({
      signature,
      batchable,
      batching,
      golden,
      run,
      now: elapsed,
      budgetMs: WARM_UP_BUDGET_MS,
    });
    await replayGolden(golden, signature, run);
    report(model, warmed, log);
  } finally {
    await scheduler.close();
  }
}

function report(model: string, { complaint, skipped, firstMs, steadyMs }: WarmUp, log: ModelLog): void {
  const times = { model, firstMs: round(firstMs), steadyMs: round(steadyMs), ratio: round(firstMs / steadyMs) };
  if (complaint !== undefined) log.warn({ model, complaint }, 'not warmed up: the model does not run on zeros');
  else log.info(skipped.length > 0 ? { ...times, skipped } : times, 'warmed up');
}

const round = (value: number): number => Number(value.toPrecision(3));

export const runBy =
  (scheduler: Scheduler): Run =>
  async (inputs, outputs) => {
    const lease = scheduler.lease(inputs.map(({ shape }) => shape));
    inputs.forEach(({ elements }, i) => {
      copy(elements, (lease.inputs[i] as TensorValue).elements);
    });
    return (await answerOf(lease, { outputs })).outputs;
  };

function copy(from: TensorValue['elements'], to: TensorValue['elements']): void {
  for (let i = 0; i < from.length; i++) (to as unknown[])[i] = from[i];
}
