import type { NonFinite } from '@slipway/crds/serving';
import type { ServedModel } from '../../models/servedModel.ts';
import { RequestError } from '../../requestError.ts';
import type { TensorValue } from '../../tensor.ts';
import type { InferAnswer } from '../inferAnswer.ts';
import { nonFiniteIn, shortest } from '../json/elements.ts';
import { rowText } from '../json/texts.ts';
import { type Classes, classesOf } from './classes.ts';

export interface Asked {
  /** Each class with its probability, not only the likeliest. */
  readonly probabilities: boolean;
  /** The values of every output as they are, too. */
  readonly raw: boolean;
}

/**
 * The answer to rows: {"model_name", "model_version", "id"?, "rows": [{"label", "probability", …}]}. What is reported are
 * the outputs that callers of the model get: those of postprocess.onnx where the model directory has one, so that a
 * calibration done there is what counts. Throws RequestError 422 where probabilities are asked for and the model gives
 * none, EngineError ModelFailed for values that are not finite where the settings refuse them.
 */
export function answerRows(
  model: ServedModel,
  id: string | undefined,
  outputs: readonly TensorValue[],
  rows: number,
  asked: Asked,
): InferAnswer {
  const { name, version } = model.identity;
  const nonFinite = outputs.reduce((count, output) => count + nonFiniteIn(output), 0);
  if (nonFinite > 0) model.evidence.nonFinite(nonFinite);
  const byRow = outputs.filter(({ shape }) => shape[0] === rows);
  const classes = classesOf(byRow, model.labels, rows);
  if (asked.probabilities && !classes?.probabilities) {
    throw new RequestError(
      422,
      `Model "${name}" answers no probabilities; leave "probabilities" out, or ask for "raw".`,
    );
  }
  const plain = byRow.filter((output) => output !== classes?.scores && output !== classes?.chosen);
  const policy = model.settings.nonFinite;
  const texts = Array.from({ length: rows }, (_, row) => {
    const fields = [
      ...(classes ? classFields(classes, row, asked) : []),
      ...plain.map((output) => `${JSON.stringify(output.name)}:${plainText(output, row, policy)}`),
      ...(asked.raw ? [`"raw":{${byRow.map((output) => rawField(output, row, policy)).join(',')}}`] : []),
    ];
    return `{${fields.join(',')}}`;
  });
  const head = JSON.stringify({ model_name: name, model_version: version, id }).slice(0, -1);
  const tail = nonFinite > 0 ? `,"parameters":{"non_finite":${nonFinite}}}` : '}';
  return { body: `${head},"rows":[${texts.join(',')}]${tail}`, headerLength: undefined };
}

const rawField = (output: TensorValue, row: number, policy: NonFinite): string =>
  `${JSON.stringify(output.name)}:${rowText(output, row, policy)}`;

/** One value a row stands without a list around it. */
const plainText = (output: TensorValue, row: number, policy: NonFinite): string =>
  output.shape.length === 2 && output.shape[1] === 1
    ? rowText({ ...output, shape: output.shape.slice(0, 1) }, row, policy)
    : rowText(output, row, policy);

function classFields(classes: Classes, row: number, { probabilities }: Asked): readonly string[] {
  const { index, label } = classes.choice(row);
  const fields = [`"label":${JSON.stringify(label)}`];
  const values = classes.probabilities?.(row);
  if (!values) return fields;
  if (index >= 0) fields.push(`"probability":${shortest(values[index] as number)}`);
  if (probabilities) {
    const all = Array.from(values, (value, i) => `${JSON.stringify(String(classes.names[i] ?? i))}:${shortest(value)}`);
    fields.push(`"probabilities":{${all.join(',')}}`);
  }
  return fields;
}
