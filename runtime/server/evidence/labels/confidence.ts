import type { Signature, Tensor } from '@slipway/crds/contract';
import type { NumericElements, TensorValue } from '../../tensor.ts';
import { isInteger, numberReader, type ReadNumber } from '../distribution/numbers.ts';
import { lastOf, type PredictionReader, widthOf } from './prediction.ts';

/** Probabilities of a row add up to 1 within this, in half precision too: what does not holds other scores. */
const TOLERANCE = 1e-2;

/** How sure the model was of what it predicted for a row. */
export interface ConfidenceReader {
  /** Name of the output that is read. */
  readonly output: string;
  /** From 0 to 1; NaN where the row holds no probabilities. */
  confidence(tensor: TensorValue, row: number): number;
}

/**
 * Reads the probability of the predicted class: from the output of the prediction itself, or, where that is a number or a
 * text of each class, from the one output that has a score for each. Undefined where the signature leaves none, or several.
 */
export function confidenceReader(
  { outputs }: Signature,
  prediction: PredictionReader | undefined,
): ConfidenceReader | undefined {
  if (prediction === undefined || prediction.kind === 'number') return undefined;
  const own = outputs.find(({ name }) => name === prediction.output);
  if (own !== undefined && isFloat(own)) return widthOf(own) === 1 ? ofOneClass(own) : ofEachClass(own);
  const [scores, another] = outputs.filter(
    (output) => isFloat(output) && output.shape.length === 2 && widthOf(output) !== 1,
  );
  return scores !== undefined && another === undefined ? ofEachClass(scores) : undefined;
}

const isFloat = ({ datatype }: Tensor): boolean => datatype !== 'BYTES' && !isInteger(datatype);

function ofOneClass(tensor: Tensor): ConfidenceReader {
  const read = readerOf(tensor);
  return {
    output: tensor.name,
    confidence({ elements }, row) {
      const probability = read(elements as NumericElements, row);
      return probability >= 0 && probability <= 1 ? Math.max(probability, 1 - probability) : Number.NaN;
    },
  };
}

function ofEachClass(tensor: Tensor): ConfidenceReader {
  const read = readerOf(tensor);
  return {
    output: tensor.name,
    confidence({ elements, shape }, row) {
      const width = lastOf(shape);
      let [most, sum] = [0, 0];
      for (let at = row * width; at < (row + 1) * width; at++) {
        const probability = read(elements as NumericElements, at);
        if (!(probability >= 0 && probability <= 1)) return Number.NaN;
        sum += probability;
        if (probability > most) most = probability;
      }
      return Math.abs(sum - 1) <= TOLERANCE ? most : Number.NaN;
    },
  };
}

/** Of floats only: see isFloat. */
const readerOf = ({ datatype }: Tensor): ReadNumber => numberReader(datatype as Exclude<Tensor['datatype'], 'BYTES'>);
