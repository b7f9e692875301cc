import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EVALUATION_DIRECTORY, FILES, type Prediction, predictionSchema } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { jsonOf } from '../artifact/json.ts';
import { complaintOf } from '../container/complaint.ts';

const PATH = `${EVALUATION_DIRECTORY}/${FILES.predictions}`;

/** Reads the held-out predictions of an artifact. Throws Failure PredictionsMissing or PredictionsInvalid with the line. */
export async function readPredictions(artifactDir: string): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  let line = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(join(artifactDir, PATH)) })) {
      line += 1;
      if (text.trim() !== '') predictions.push(parse(text, line));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Failure(
      'PredictionsMissing',
      `The gates need ${PATH}, which the artifact lacks; the training container must write ${FILES.predictions} to its output.`,
    );
  }
  if (predictions.length === 0) throw new Failure('PredictionsInvalid', `${PATH} has no predictions.`);
  return predictions;
}

function parse(text: string, line: number): Prediction {
  const parsed = predictionSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Failure('PredictionsInvalid', `Line ${line} of ${PATH} is not a prediction: ${complaintOf(parsed.error)}.`);
}
