import { join } from 'node:path';
import { Failure } from '../../../artifact/failure.ts';
import type { Engine } from '../engine.ts';
import type { EngineOptions } from '../engineOptions.ts';
import { gpuCause, noProvider, notOnGpu, withoutProvider } from '../gpuFailure.ts';
import { invalidModel } from '../modelFailure.ts';
import { describeProcessor, keyOf, OPTIMIZED_MODEL, openCached, WEIGHTS_APART } from '../optimizedCache.ts';
import { checkEntries } from '../sessionEntries.ts';
import { planSession, type SessionPlan } from '../sessionPlan.ts';
import { cells } from './cells.ts';
import { FfiEngine } from './ffiEngine.ts';
import { check, type Library, NativeError, openLibrary } from './library.ts';
import { providersInUse } from './providersInUse.ts';
import { createSessionOptions } from './sessionOptions.ts';
import { readSignature } from './signature.ts';

const GRACE_MS = 1_000;

/** Opens a model through ONNX Runtime's C API. Throws Failure. */
export async function openFfi(options: EngineOptions, graceMs = GRACE_MS): Promise<Engine> {
  const { settings } = options;
  const plan = planSession(settings, options.cores);
  const library = openHere();
  await checkEntries(library.path, library.version, settings.session);
  const session = await openSession(library, options, plan);
  // Loading takes a multiple of the model's size and frees most of it.
  await library.trim();
  try {
    const providers = providersInUse(library, session, plan);
    if (settings.requireGpu && !providers.some((provider) => provider !== 'cpu')) throw notOnGpu(options.path);
    return new FfiEngine({
      library,
      session,
      signature: readSignature(library, session),
      providers,
      runEntries: settings.gpu.shrink ? { 'memory.enable_memory_arena_shrinkage': `gpu:${settings.gpu.device}` } : {},
      maxRunMs: settings.maxRunMs,
      graceMs,
    });
  } catch (error) {
    library.api.ReleaseSession(session);
    throw error;
  }
}

function openHere(): Library {
  try {
    return openLibrary();
  } catch (error) {
    throw new Failure(
      'ConfigurationInvalid',
      `ONNX Runtime cannot be called directly here; write "backend": "node". The cause: ${invalidModel(error).message}`,
    );
  }
}

async function openSession(library: Library, options: EngineOptions, plan: SessionPlan): Promise<bigint> {
  const { settings, digest, path, log = () => undefined } = options;
  const directory = settings.cacheDirectory;
  const open = (from: string, used: SessionPlan, into?: string) => openOrFallBack(library, options, used, from, into);
  // What TensorRT has compiled is nothing that a model file can hold; it keeps it itself.
  if (directory === undefined || plan.gpuProviders.includes('tensorrt')) return open(path, plan);
  const processor = await describeProcessor();
  return openCached({
    directory,
    key: keyOf({ digest, path, version: library.version, processor, plan }),
    log,
    open: (into) => open(path, into === undefined ? plan : apart(plan), into),
    openOptimized: (from) => open(from, { ...plan, optimization: 'disabled' }),
  });
}

const apart = (plan: SessionPlan): SessionPlan => ({ ...plan, entries: { ...plan.entries, ...WEIGHTS_APART } });

/** A GPU that is not there is found out when a session is made, after its provider's library was loaded. */
async function openOrFallBack(
  library: Library,
  options: EngineOptions,
  plan: SessionPlan,
  from: string,
  into: string | undefined,
): Promise<bigint> {
  try {
    return await openFile(library, options, plan, from, into);
  } catch (error) {
    const [provider] = plan.gpuProviders;
    const cause = error instanceof NativeError && provider ? gpuCause(error) : undefined;
    if (cause === undefined || !provider) throw invalidModel(error, { path: from, version: library.version });
    if (!plan.mayFallBack) throw noProvider(provider, cause);
    options.log?.(withoutProvider(provider, cause));
    return openOrFallBack(library, options, { ...plan, gpuProviders: [] }, from, into);
  }
}

async function openFile(
  library: Library,
  { settings, log = () => undefined }: EngineOptions,
  plan: SessionPlan,
  from: string,
  into: string | undefined,
): Promise<bigint> {
  const { api, environment } = library;
  const options = createSessionOptions(api, { plan, gpu: settings.gpu, tensorrtCache: settings.cacheDirectory, log });
  const out = cells(1);
  try {
    if (into !== undefined) check(api, api.SetOptimizedModelFilePath(options, join(into, OPTIMIZED_MODEL)));
    const status = await new Promise<bigint | null>((resolve) =>
      api.CreateSession.async(environment, from, options, out.at[0] as bigint, (_, result) => resolve(result)),
    );
    check(api, status);
    return out.values[0] as bigint;
  } finally {
    api.ReleaseSessionOptions(options);
  }
}
