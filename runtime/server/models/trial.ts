import type { Signature } from '@slipway/crds/contract';
import { engineSettingsSchema } from '@slipway/crds/serving';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../engine/openEngine.ts';
import { readBaseline } from '../evidence/baseline.ts';
import { openPipeline } from '../pipeline/openPipeline.ts';
import { replayGolden } from './golden.ts';
import { checkLabels } from './labels.ts';
import { type ModelFiles, readModelFiles } from './modelFiles.ts';
import { agreedSignature } from './signature.ts';

/** One thread of the CPU: whoever only tries a model shares the machine with others. */
const SETTINGS = engineSettingsSchema.parse({ threads: 1 });

/** Opens a model directory as the server would, for those who ask it a few things and close it again. Throws Failure. */
export const openForTrial = async (directory: string): Promise<Engine> => openFiles(await readModelFiles(directory));

const openFiles = (files: ModelFiles): Promise<Engine> =>
  openPipeline(files, {
    open: (path) => openEngine({ path, digest: '', settings: SETTINGS, cores: 1 }),
    truncateText: false,
  });

/**
 * Whether the server would take this model directory: it loads, its parts and files agree, and it answers its golden
 * requests. Returns what callers would send and get. Throws Failure with the server's own sentence.
 */
export async function tryModel(directory: string): Promise<Signature> {
  const files = await readModelFiles(directory);
  const engine = await openFiles(files);
  try {
    const signature = agreedSignature(files.signature, engine.signature);
    checkLabels(files.labels, signature.outputs);
    await readBaseline(directory, signature);
    await replayGolden(files.golden, signature, (inputs, outputs) => engine.run(inputs, outputs));
    return signature;
  } finally {
    await engine.close();
  }
}
