import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fault, withFault } from './surgery.ts';

/**
 * Runs in a pod: copies a published artifact into the layout that training leaves, with a fault in its model, for the
 * publisher to publish it like every other. The expected answers go: they are those of the sound model.
 * Arguments: the artifact, the output, the fault as JSON.
 */
async function main([artifact = '', output = '', fault = '{}']: readonly string[]): Promise<void> {
  await cp(artifact, join(output, 'model'), { recursive: true });
  for (const name of ['golden.jsonl', 'manifest.json']) await rm(join(output, 'model', name), { force: true });
  for (const name of ['metrics.json', 'predictions.jsonl']) {
    await cp(join(artifact, 'evaluation', name), join(output, name)).catch(() => {});
  }
  await rm(join(output, 'model', 'evaluation'), { recursive: true, force: true });
  const model = join(output, 'model', 'model.onnx');
  await writeFile(model, withFault(await readFile(model), JSON.parse(fault) as Fault));
}

await main(process.argv.slice(2));
