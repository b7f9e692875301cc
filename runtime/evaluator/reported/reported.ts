import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVALUATION_DIRECTORY, FILES } from '@slipway/crds/contract';
import { jsonOf } from '../../artifact/json.ts';
import { fromFlatOrNested } from './metricsFile.ts';
import { fromModelIndex, frontMatterOf, modelIndexOf } from './modelIndex.ts';
import { fromTfma } from './tfma.ts';

/** A number that the training wrote down about its model. */
export interface ReportedMetric {
  /** As it is called there; parts of a nested name are joined by dots. */
  readonly name: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly n?: number;
  readonly slice?: string;
  readonly dataset?: string;
  /** Path in the artifact. */
  readonly file: string;
}

export type Found = Omit<ReportedMetric, 'file'>;

/** Where a Hugging Face model card may carry a model-index. */
const CARDS = ['README.md', `${EVALUATION_DIRECTORY}/README.md`, FILES.card];
const INDEX = 'model-index.json';
const LARGEST = 16 * 1024 * 1024;

/**
 * Everything that the evaluation files of an artifact report: metrics.json flat or nested as SageMaker writes it, a
 * Hugging Face model-index (JSON or front matter of a card), TFMA's metrics and ValidationResult. A file that is none
 * of these reports nothing.
 */
export async function readReported(artifactDir: string): Promise<readonly ReportedMetric[]> {
  const evaluation = await readdir(join(artifactDir, EVALUATION_DIRECTORY), { recursive: true }).catch(() => []);
  const documents = [...evaluation.map((path) => `${EVALUATION_DIRECTORY}/${path.split('\\').join('/')}`), INDEX]
    .filter((path) => path.endsWith('.json') || (path.endsWith('.jsonl') && !path.endsWith(FILES.predictions)))
    .sort();
  const read = (path: string) => readFile(join(artifactDir, path), 'utf8').catch(() => '');
  const found: ReportedMetric[] = [];
  const add = (file: string, metrics: readonly Found[]) =>
    found.push(...metrics.map((metric) => ({ ...metric, file })));
  for (const path of documents) {
    const text = await read(path);
    if (text.length <= LARGEST) add(path, fromText(path, text));
  }
  for (const path of CARDS) add(path, fromModelIndex(modelIndexOf(frontMatterOf(await read(path)))));
  return found;
}

function fromText(path: string, text: string): readonly Found[] {
  const document = path.endsWith('.jsonl')
    ? text
        .split('\n')
        .map(jsonOf)
        .filter((line) => line !== undefined)
    : jsonOf(text);
  const index = modelIndexOf(document);
  if (index !== undefined) return fromModelIndex(index);
  return fromTfma(document) ?? fromFlatOrNested(document);
}
