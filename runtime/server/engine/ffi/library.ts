import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { forbidTelemetry } from '../../../onnx/telemetry.ts';
import { endBy } from '../endProcess.ts';
import { libraryFolder } from '../libraryFolder.ts';
import { FUNCTIONS, type FunctionName, ORT_API_VERSION } from './api.ts';
import { type Cells, cells } from './cells.ts';

type Result<Type extends string> = Type extends 'int'
  ? number
  : Type extends 'void'
    ? undefined
    : Type extends 'void *'
      ? bigint | null
      : string;

/** What may stand where C wants an argument; a null pointer is null. */
export type Argument = bigint | number | string | null | ArrayBufferView;

export interface Native<Type extends string> {
  (...parameters: readonly Argument[]): Result<Type>;
  /** The same on libuv's pool. Memory given to it must not move: shared memory only. `done` must not throw. */
  async(...parameters: readonly [...Argument[], done: (error: unknown, result: Result<Type>) => void]): void;
}

export type Api = { readonly [Name in FunctionName]: Native<(typeof FUNCTIONS)[Name][1]> };

/** ONNX Runtime in this process, with what every session of it shares. */
export interface Library {
  readonly api: Api;
  readonly path: string;
  readonly version: string;
  readonly environment: bigint;
  /** Says of memory that it is the CPU's. */
  readonly cpuMemory: bigint;
  readonly allocator: bigint;
  copy(to: Argument, from: Argument, bytes: number): void;
  /** Gives back to the system what has been freed, which the allocator would keep for ever in each thread's arena. */
  trim(): Promise<void>;
}

const MIB = 1024 * 1024;
/** Koffi calls on stacks of its own. Its 128 KiB for calls on the pool are less than kernels of ONNX Runtime take. */
const CALLS = {
  sync_stack_size: 8 * MIB,
  async_stack_size: 8 * MIB,
  resident_async_pools: 32,
  max_async_calls: 4096,
};
/** Fatal only: a failing run is reported once, by us, and not also on stderr for each request. */
export const LOG_FATAL = 4;
/**
 * What V8's compiler and collector took in the first seconds under load is free again soon, and would stay with the
 * process: 11 to 15 MB with a tiny model. Takes the pool some 2 ms.
 */
const TRIM_EVERY_MS = 10_000;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

/** Flags of dlopen(3). */
const RTLD_NOW = 2;
const RTLD_NODELETE = 0x1000;

let library: Library | undefined;

/**
 * The library that onnxruntime-node ships, loaded once for the process: its environment is one for all sessions, and
 * no usage data leaves it. Throws when the platform has none or koffi is not installed for it.
 */
export function openLibrary(): Library {
  library ??= load(join(libraryFolder(), 'libonnxruntime.so.1'));
  return library;
}

function load(path: string): Library {
  forbidTelemetry();
  koffi.config(CALLS);
  const native = koffi.load(path);
  const own = koffi.load(null);
  endBy(own.func('_exit', 'void', ['int']));
  // Koffi unloads a library that no handle refers to; functions taken out of its table do not count.
  own.func('dlopen', 'void *', ['const char *', 'int'])(path, RTLD_NOW | RTLD_NODELETE);
  const base: bigint = native.func('OrtGetApiBase', 'void *', [])();
  const functionAt = (table: bigint, place: number, result: string, parameters: readonly string[]) =>
    koffi.decode(koffi.decode(table, place * koffi.sizeof('void *'), 'void *'), koffi.proto(result, [...parameters]));
  const table: bigint | null = functionAt(base, 0, 'void *', ['uint32_t'])(ORT_API_VERSION);
  const version: string = functionAt(base, 1, 'const char *', [])();
  if (table === null) throw new Error(`ONNX Runtime ${version} is older than API version ${ORT_API_VERSION}`);
  const api = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, [place, result, parameters]]) => [
      name,
      functionAt(table, place, result, parameters),
    ]),
  ) as unknown as Api;
  const out = cells(1);
  const trim = trimmer(own);
  setInterval(() => void trim(), TRIM_EVERY_MS).unref();
  const environment = created(api, out, (at) => api.CreateEnv(LOG_FATAL, 'slipway', at));
  check(api, api.DisableTelemetryEvents(environment));
  return {
    api,
    path,
    version,
    environment,
    cpuMemory: created(api, out, (at) => api.CreateCpuMemoryInfo(ARENA_ALLOCATOR, DEFAULT_MEMORY, at)),
    allocator: created(api, out, (at) => api.GetAllocatorWithDefaultOptions(at)),
    trim,
    copy: own.func('memcpy', 'void', ['void *', 'void *', 'size_t']),
  };
}

/** Only glibc has it, and only glibc needs it. */
function trimmer(own: LibraryHandle): Library['trim'] {
  try {
    const trim = own.func('malloc_trim', 'int', ['size_t']);
    return () => new Promise((resolve) => trim.async(0, () => resolve()));
  } catch {
    return () => Promise.resolve();
  }
}

/** What ONNX Runtime says of a call that failed. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
}

/** The message of a status, which is released; it must not be null. */
export function messageOf(api: Api, status: bigint): string {
  const message = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  return message;
}

export function check(api: Api, status: bigint | null): void {
  if (status !== null) throw new NativeError(messageOf(api, status));
}

/** The pointer that `make` writes to the address it is given. */
export function created(api: Api, out: Cells, make: (at: bigint) => bigint | null): bigint {
  check(api, make(out.at[0] as bigint));
  return out.values[0] as bigint;
}
