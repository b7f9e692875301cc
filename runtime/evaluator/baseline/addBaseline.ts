import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signature } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { jsonOf } from '../../artifact/json.ts';
import { readOptionalText } from '../../artifact/optionalText.ts';
import { baselineFromTables, type TableBaseline } from './fromTables.ts';
import { importedBaseline } from './imported.ts';
import { isTable } from './tables.ts';

/** Statistics of other tools, where trainers leave them. */
const STATISTICS = 'statistics.json';
/** The data set that training learned from, among those of the job. */
const TRAIN = 'train';

export interface BaselineSources {
  readonly outputDir: string;
  readonly inputDir: string;
  /** baseline.json of the output, if it has one. */
  readonly given: string | undefined;
  readonly signature: Signature;
  readonly say: (line: string) => void;
}

/**
 * Writes the baseline that the trainer did not: from statistics of SageMaker or TFDV in the output, else from the
 * columns of input/train. Returns whether there is one now. A baseline.json of our own schema is left as it is.
 */
export async function addBaseline(to: string, sources: BaselineSources): Promise<boolean> {
  const { outputDir, given, signature, say } = sources;
  for (const path of [given, join(outputDir, STATISTICS), join(outputDir, 'model', STATISTICS)]) {
    const text = path === undefined ? undefined : await readOptionalText(path);
    const baseline = text === undefined ? undefined : importedBaseline(jsonOf(text), signature);
    if (baseline === undefined) continue;
    await writeFile(to, `${JSON.stringify(baseline, undefined, 2)}\n`);
    say(`imported a baseline of ${baseline.features.length} features from ${path?.split('/').at(-1)}`);
    return true;
  }
  return given === undefined && fromTraining(to, sources);
}

async function fromTraining(to: string, { inputDir, signature, say }: BaselineSources): Promise<boolean> {
  const folder = join(inputDir, TRAIN);
  // A data set of one file is a link to it: links are followed, as training followed them.
  const names = await readdir(folder, { recursive: true }).catch(() => undefined);
  if (names === undefined) return false;
  const tables = names.filter(isTable).map((path) => join(folder, path));
  if (tables.length === 0) {
    say('input/train holds no .csv, .tsv, .jsonl or .ndjson: there is no baseline, and so no watch for drift');
    return false;
  }
  const { baseline, said } = await baselineFromTables(tables, signature).catch(unreadable);
  say(said);
  if (baseline !== undefined) await writeFile(to, `${JSON.stringify(baseline, undefined, 2)}\n`);
  return baseline !== undefined;
}

/** Training made sense of its data somehow: a model is published without a baseline rather than not at all. */
function unreadable(error: unknown): TableBaseline {
  if (!(error instanceof Failure)) throw error;
  return { baseline: undefined, said: `there is no baseline, and so no watch for drift: ${error.message}` };
}
