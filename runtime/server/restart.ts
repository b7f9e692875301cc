import type { Environment } from '../container/environment.ts';

/**
 * MiB of a half of V8's young generation. By default V8 takes what the host has, 64 on a large one: 128 MiB of memory for
 * the garbage of a few kB a request. Half of this costs more CPU, as more survives the more frequent collections. The
 * images say the same in NODE_OPTIONS.
 */
const SEMI_SPACE_MIB = 8;
const FLAG = 'max-semi-space-size';
/**
 * Models run on libuv's pool, which has four threads by default and also reads files. glibc gives each thread an arena of
 * its own, up to eight for each CPU, which keeps what the thread has freed.
 */
const BOUNDS = { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2' };

/**
 * Makes a plain `node server.mjs` what it is in the images, whose environment says so: bounds of V8's heap are read when
 * a process starts, and no call changes them later. So the process starts its program again in its own place
 * (execve(2): same id, same descriptors, some 35 ms), once. Whoever has set the flag is left alone, and where the
 * platform knows no execve all works as well, in more memory.
 */
export function restartBounded(env: Environment): void {
  const { execPath, execArgv, argv } = process;
  const isSet = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((text) => text.replaceAll('_', '-').includes(FLAG));
  if (isSet || process.execve === undefined) return;
  try {
    process.execve(execPath, [execPath, `--${FLAG}=${SEMI_SPACE_MIB}`, ...execArgv, ...argv.slice(1)], {
      ...BOUNDS,
      ...env,
    });
  } catch {
    // A platform that has the name only.
  }
}
