import { FILES, type Signature } from '@slipway/crds/contract';
import type { Engine } from '../engine/engine.ts';
import type { ModelFiles } from '../models/modelFiles.ts';
import { MODEL_LINK } from './chain.ts';
import { PipelineEngine } from './pipelineEngine.ts';
import type { Stage } from './stage.ts';

export interface PipelineOptions {
  readonly open: (path: string) => Promise<Engine>;
  readonly truncateText: boolean;
}

/**
 * Opens the model with what stands before and after it in its directory; a model alone is its own engine. Throws
 * Failure: what `open` throws, or ModelInvalid where the parts contradict each other. Nothing stays open then.
 */
export async function openPipeline(files: ModelFiles, { open, truncateText }: PipelineOptions): Promise<Engine> {
  const opened: Engine[] = [];
  const stage = async (path: string, file: string): Promise<Stage> => {
    const engine = await open(path);
    opened.push(engine);
    return asStage(engine, file);
  };
  try {
    const model = await open(files.path);
    opened.push(model);
    if (!files.preprocess && !files.postprocess && !files.tokenizer) return model;
    const stages = [asStage(model, MODEL_LINK)];
    if (files.preprocess) stages.unshift(await stage(files.preprocess, FILES.preprocess));
    if (files.tokenizer) stages.unshift(await tokenizerFor(files.tokenizer, stages[0] as Stage, truncateText));
    if (files.postprocess) stages.push(await stage(files.postprocess, FILES.postprocess));
    return new PipelineEngine(stages, model);
  } catch (error) {
    await Promise.all(opened.map((engine) => engine.close()));
    throw error;
  }
}

const asStage = (engine: Engine, file: string): Stage => ({
  file,
  signature: engine.signature,
  get healthy() {
    return engine.healthy;
  },
  run: (inputs, outputs, options) => engine.run(inputs, outputs, options),
  close: () => engine.close(),
});

/** Loaded on demand: most models have no text, and its tables are not small. */
async function tokenizerFor(
  tokenizer: NonNullable<ModelFiles['tokenizer']>,
  next: Stage,
  truncate: boolean,
): Promise<Stage> {
  const { tokenizerStage } = await import('./tokenizerStage.ts');
  return tokenizerStage(tokenizer, next.signature.inputs, truncate);
}

/**
 * Whether rows of several requests may share a run: not if texts are padded to the longest of the run and an output is
 * as long as they are, for an answer would then have the length of a stranger's text.
 */
export const mayShareRuns = ({ tokenizer }: ModelFiles, { outputs }: Signature): boolean =>
  !tokenizer || outputs.every(({ shape }) => !shape.slice(1).includes(-1));
