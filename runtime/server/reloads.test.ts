import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeModel } from '../onnx/model.ts';
import { residentMiB } from '../soak/memory.ts';
import { mlp } from '../test/artifacts.ts';
import { startFolder } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';

/** Four million weights. */
const MODEL_MIB = 16;

test('triton#4764, #4966: ten reloads give the memory of ten versions back', async () => {
  const root = await temporaryFolder('models');
  await mkdir(join(root, 'mlp'));
  await writeFile(join(root, 'mlp', 'model.onnx'), encodeModel(mlp([8, 2048, 2048, 8])));
  const server = await startFolder(root, { repository: 'Explicit' });
  await server.logged('ready');
  const samples: number[] = [];
  for (let i = 0; i < 10; i++) {
    expect((await server.fetch('rest', '/v2/repository/models/mlp/load', { method: 'POST' })).status).toBe(200);
    samples.push(await residentMiB(server.child.pid as number));
  }
  const [early, late] = [samples[3] as number, samples.at(-1) as number];
  expect(late - early).toBeLessThan(2 * MODEL_MIB);
  await server.kill();
});
