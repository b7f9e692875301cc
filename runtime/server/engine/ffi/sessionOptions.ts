import type { EngineSettings } from '@slipway/crds/serving';
import { gpuCause, noProvider, withoutProvider } from '../gpuFailure.ts';
import { plain } from '../modelFailure.ts';
import type { SessionPlan } from '../sessionPlan.ts';
import { cells, cStrings } from './cells.ts';
import { type Api, check, created, LOG_FATAL } from './library.ts';

/** GraphOptimizationLevel of the C API. */
const LEVELS = { disabled: 0, basic: 1, extended: 2, all: 99 } as const satisfies Record<
  EngineSettings['optimization'],
  number
>;

export interface OpenOptions {
  readonly plan: SessionPlan;
  readonly gpu: EngineSettings['gpu'];
  /** Where TensorRT keeps what it compiled. */
  readonly tensorrtCache: string | undefined;
  /** Told of a GPU provider that is not there, where the model may run on the CPU instead. */
  readonly log: (sentence: string) => void;
}

/** Makes session options; the caller releases them. Throws Failure where a provider that is needed is not there. */
export function createSessionOptions(api: Api, options: OpenOptions): bigint {
  const { plan } = options;
  const made = created(api, cells(1), (at) => api.CreateSessionOptions(at));
  try {
    check(api, api.SetSessionLogSeverityLevel(made, LOG_FATAL));
    check(api, api.SetIntraOpNumThreads(made, plan.threads));
    check(api, api.SetInterOpNumThreads(made, 1));
    check(api, api.SetSessionGraphOptimizationLevel(made, LEVELS[plan.optimization]));
    for (const [key, value] of Object.entries(plan.entries)) check(api, api.AddSessionConfigEntry(made, key, value));
    appendProviders(api, made, options);
    return made;
  } catch (error) {
    api.ReleaseSessionOptions(made);
    throw error;
  }
}

function appendProviders(api: Api, made: bigint, { plan, gpu, tensorrtCache, log }: OpenOptions): void {
  const missing = plan.gpuProviders.flatMap((provider) => {
    try {
      if (provider === 'cuda') appendCuda(api, made, gpu);
      else appendTensorRT(api, made, gpu.device, tensorrtCache);
      return [];
    } catch (error) {
      return { provider, cause: gpuCause(error) ?? plain(error) };
    }
  });
  const [first] = missing;
  if (first && missing.length === plan.gpuProviders.length && !plan.mayFallBack) {
    throw noProvider(first.provider, first.cause);
  }
  for (const { provider, cause } of missing) log(withoutProvider(provider, cause));
}

function appendCuda(api: Api, made: bigint, gpu: EngineSettings['gpu']): void {
  const isBounded = gpu.memoryBytes !== undefined || gpu.shrink;
  const provider = created(api, cells(1), (at) => api.CreateCudaOptions(at));
  try {
    update(api, api.UpdateCudaOptions, provider, {
      device_id: String(gpu.device),
      ...(gpu.memoryBytes === undefined ? {} : { gpu_mem_limit: String(gpu.memoryBytes) }),
      // An arena that grows by doubling holds up to twice what it needs.
      arena_extend_strategy: isBounded ? 'kSameAsRequested' : 'kNextPowerOfTwo',
    });
    check(api, api.AppendCuda(made, provider));
  } finally {
    api.ReleaseCudaOptions(provider);
  }
}

function appendTensorRT(api: Api, made: bigint, device: number, cache: string | undefined): void {
  const provider = created(api, cells(1), (at) => api.CreateTensorRTOptions(at));
  try {
    update(api, api.UpdateTensorRTOptions, provider, {
      device_id: String(device),
      ...(cache === undefined ? {} : { trt_engine_cache_enable: '1', trt_engine_cache_path: cache }),
    });
    check(api, api.AppendTensorRT(made, provider));
  } finally {
    api.ReleaseTensorRTOptions(provider);
  }
}

function update(
  api: Api,
  call: Api['UpdateCudaOptions'],
  provider: bigint,
  settings: Readonly<Record<string, string>>,
): void {
  const keys = cStrings(Object.keys(settings));
  const values = cStrings(Object.values(settings));
  check(api, call(provider, keys.pointers.values, values.pointers.values, keys.strings.length));
}
