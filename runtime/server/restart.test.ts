import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { affine, modelArtifact } from '../test/artifacts.ts';
import { startServer } from '../test/serverProcess.ts';

/** The arguments of Node itself. */
async function flagsOf(pid: number | undefined): Promise<readonly string[]> {
  const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  return line.filter((text) => text.startsWith('--'));
}

test.each([
  ['a plain start is bounded as in the images', {}, ['--max-semi-space-size=8'], '16'],
  ['a pool of its own size is kept', { UV_THREADPOOL_SIZE: '5' }, ['--max-semi-space-size=8'], '5'],
  ['whoever has set the flag is left alone', { NODE_OPTIONS: '--max-semi-space-size=32' }, [], undefined],
])('%s, in the process that was started', async (_what, env, flags, pool) => {
  const server = await startServer(await modelArtifact(affine), env);
  await server.logged('ready');
  const { pid } = server.child;
  expect(await flagsOf(pid)).toEqual(flags);
  const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
  expect(environment.find((entry) => entry.startsWith('UV_THREADPOOL_SIZE='))?.split('=')[1]).toBe(pool);
  expect(environment.includes('MALLOC_ARENA_MAX=2')).toBe(pool !== undefined);
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(0);
});
