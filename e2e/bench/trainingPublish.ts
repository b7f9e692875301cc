import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { inTemporaryFolder } from '@slipway/hack/local-cluster/temporaryFolder.ts';
import { publish } from '@slipway/runtime/evaluator/publish.ts';
import { encodeModel } from '@slipway/runtime/onnx/model.ts';
import { affine } from '@slipway/runtime/test/artifacts.ts';
import { quantile } from '../load/quantile.ts';
import type { Measurement } from './report.ts';

const ROUNDS = 5;
const MEBIBYTE = 2 ** 20;
const MEBIBYTES = 512;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** A model with a tensor file beside it that is nearly all of it. Random: nothing on the way can make it smaller. */
async function writeOutput(output: string): Promise<void> {
  const model = join(output, 'model');
  await mkdir(model, { recursive: true });
  await writeFile(join(model, 'model.onnx'), encodeModel(affine));
  const block = randomBytes(MEBIBYTE);
  await writeFile(join(model, 'weights.bin'), Buffer.concat(Array.from({ length: MEBIBYTES }, () => block)));
}

/** The publisher to a claim on the same disk, in turns with `cp -r` and a sync, as the publisher leaves nothing to be lost. */
export const measurePublishing = (): Promise<Measurement[]> =>
  inTemporaryFolder(async (root) => {
    const [output, claims] = [join(root, 'output'), join(root, 'claims')];
    await writeOutput(output);
    const copying: number[] = [];
    const publishing: number[] = [];
    const context = { now: Date.now, say: () => undefined, claims };
    const publication = { outputDir: output, inputDir: join(root, 'input'), modelName: 'large', context };
    for (let round = 0; round < ROUNDS; round += 1) {
      const copy = join(root, 'copy');
      copying.push(
        await seconds(async () => {
          await run('cp', ['-r', join(output, 'model'), copy]);
          await run('sync', ['-f', copy]);
        }),
      );
      await rm(copy, { recursive: true });
      await mkdir(join(claims, 'models'), { recursive: true });
      publishing.push(await seconds(() => publish({ ...publication, store: { uri: 'pvc://models' } })));
      await rm(claims, { recursive: true });
    }
    const [copied, published] = [quantile(copying, 0.5), quantile(publishing, 0.5)];
    const what = `publishing ${MEBIBYTES} MiB to a claim`;
    return [
      { what, value: MEBIBYTES / published, unit: 'MiB/s' },
      { what: `${what}: time over cp -r and sync`, value: published / copied, unit: '' },
    ];
  });
