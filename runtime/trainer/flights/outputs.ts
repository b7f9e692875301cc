import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type Golden, type Prediction } from '@slipway/crds/contract';
import { measure, metricsFor } from '../../evaluator/metrics.ts';
import { sampleOf } from '../../evaluator/sample.ts';
import type { Parameters } from '../parameters.ts';
import { baselineOf, type DatasetDescription } from './baseline.ts';
import { modelCard } from './card.ts';
import { FLIGHTS_SIGNATURE, sliceExamples } from './features.ts';
import { inputTensors } from './heldOut.ts';
import type { Trained } from './train.ts';

const GOLDEN_REQUESTS = 8;
const GOLDEN_BATCH = 4;

interface OutputDirectories {
  readonly output: string;
  readonly model: string;
}

/** Writes everything the training contract asks for and returns the metrics. */
export async function writeOutputs(
  directories: OutputDirectories,
  trained: Trained,
  dataset: DatasetDescription,
  parameters: Parameters,
): Promise<Readonly<Record<string, number>>> {
  const predictions = predictionsOf(trained);
  const metrics = metricsOf(predictions, trained);
  await mkdir(directories.model, { recursive: true });
  const inModel = (file: string, content: string | Uint8Array) => writeFile(join(directories.model, file), content);
  const inOutput = (file: string, content: string) => writeFile(join(directories.output, file), content);
  await inModel(FILES.model, trained.onnx);
  await inModel(FILES.signature, json(FLIGHTS_SIGNATURE));
  await inModel(FILES.card, modelCard(trained, metrics, dataset, parameters));
  await inOutput(FILES.metrics, json(metrics));
  await inOutput(FILES.predictions, lines(predictions));
  await inOutput(FILES.baseline, json(baselineOf(trained, dataset)));
  await inOutput(FILES.golden, lines(goldenOf(trained)));
  return metrics;
}

const json = (document: unknown): string => `${JSON.stringify(document, undefined, 2)}\n`;
const lines = (documents: readonly unknown[]): string => documents.map((d) => `${JSON.stringify(d)}\n`).join('');

/** Every held-out flight; slices are what a reader may want to compare: weekend or not, and the hour of departure. */
function predictionsOf({ heldOut, scores, threshold }: Trained): Prediction[] {
  return heldOut.rows.map((id, index) => {
    const [hour = 0, dayOfWeek = 0] = sliceExamples(heldOut, index, index + 1).numeric;
    const score = scores[index] ?? 0;
    return {
      id,
      label: heldOut.label[index] ?? 0,
      prediction: score >= threshold ? 1 : 0,
      score: Number(score.toFixed(6)),
      slice: { weekend: dayOfWeek === 0 || dayOfWeek === 6 ? 1 : 0, hour },
    };
  });
}

function metricsOf(predictions: readonly Prediction[], { finalLoss }: Trained): Readonly<Record<string, number>> {
  const sample = sampleOf(predictions);
  const measured = metricsFor(sample).map((metric) => [metric, Number(measure(metric, sample).toFixed(6))] as const);
  return { ...Object.fromEntries(measured), trainingLoss: Number(finalLoss.toFixed(6)) };
}

/** A few held-out flights with the trained model's own answers: whoever loads the export can tell that it is this model. */
function goldenOf({ heldOut, scores }: Trained): Golden[] {
  const count = Math.min(GOLDEN_REQUESTS, Math.floor(heldOut.rows.length / GOLDEN_BATCH));
  return Array.from({ length: count }, (_, request) => {
    const [from, to] = [request * GOLDEN_BATCH, (request + 1) * GOLDEN_BATCH];
    return {
      inputs: inputTensors(sliceExamples(heldOut, from, to)),
      outputs: [
        { name: 'probability', datatype: 'FP32', shape: [GOLDEN_BATCH, 1], data: Array.from(scores.slice(from, to)) },
      ],
      tolerance: 1e-4,
    };
  });
}
