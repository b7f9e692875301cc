import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { affine, modelArtifact } from '../test/artifacts.ts';
import { startServer } from '../test/serverProcess.ts';

/** ONNX Runtime keeps its device id and unsent events under the home folder; an empty one means that it made neither. */
const withHome = async (use: (home: string) => Promise<void>) => {
  const home = await mkdtemp(join(tmpdir(), 'home-'));
  await use(home);
  expect(await readdir(home, { recursive: true })).toEqual([]);
  await rm(home, { recursive: true });
};
const unset = { ORT_DISABLE_TELEMETRY: '' };

it('the verifier opens a model without a word to anybody', { timeout: 30_000 }, async () => {
  const { directory, digest } = await modelArtifact(affine);
  await withHome(async (home) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../evaluator/main.ts'), 'verify'], {
      env: {
        ...unset,
        HOME: home,
        SLIPWAY_ARTIFACT_DIR: directory,
        SLIPWAY_MODEL_DIGEST: digest,
        SLIPWAY_TERMINATION_LOG: '/dev/null',
      },
      stdio: 'ignore',
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

it('so does the server, whose sessions live on other threads', { timeout: 30_000 }, async () => {
  const artifact = await modelArtifact(affine);
  await withHome(async (home) => {
    const server = await startServer(artifact, { ...unset, HOME: home });
    await expect.poll(async () => (await server.fetch('admin', '/readyz')).status, { timeout: 10_000 }).toBe(200);
    await server.kill();
  });
});

it('tests themselves run with the same opt-out', () => {
  expect(process.env['ORT_DISABLE_TELEMETRY']).toBe('1');
});
