import type { ServedModel } from '../models/servedModel.ts';
import type { TensorValue } from '../tensor.ts';
import { classified } from './classification.ts';
import type { InferPlan, OutputForm } from './inferPlan.ts';
import { nonFiniteIn, writeElements } from './json/elements.ts';
import { writeRaw } from './rawTensor.ts';

export interface InferAnswer {
  /** Text for small answers, else chunks to be written one after the other; some are views on the outcome's memory. */
  readonly body: string | readonly Uint8Array[];
  /** Value of inference-header-content-length (content-type application/octet-stream); undefined for JSON alone. */
  readonly headerLength: number | undefined;
}

const opening = ({ identity }: ServedModel): string =>
  JSON.stringify({ model_name: identity.name, model_version: identity.version }).slice(0, -1);

const head = (name: string, datatype: string): string => `${JSON.stringify({ name, datatype }).slice(0, -1)},"shape":[`;

/** Of two plans for equal skeletons everything here is equal too, so that it is worked out once. */
export class AnswerWriter {
  readonly #model: ServedModel;
  readonly #forms: readonly OutputForm[];
  readonly #opening: string;
  readonly #heads: readonly string[];

  constructor(model: ServedModel, { forms }: Pick<InferPlan, 'forms'>) {
    this.#model = model;
    this.#forms = forms;
    this.#opening = opening(model);
    this.#heads = forms.map(({ name, classes }, i) => {
      const declared = model.signature.outputs.find((output) => output.name === name);
      return (i > 0 ? ',' : '') + head(name, classes > 0 ? 'BYTES' : (declared?.datatype ?? 'FP32'));
    });
  }

  /**
   * The answer to a request, `outputs` in the order asked for. Tells the model's evidence of values that are not finite.
   * Throws EngineError ModelFailed where the settings refuse those and they would have to go as JSON.
   */
  write(outputs: readonly TensorValue[], id: string | undefined): InferAnswer {
    const nonFinite = this.#countNonFinite(outputs);
    const { labels, scheduler, settings } = this.#model;
    let text = `${this.#opening}${id === undefined ? '' : `,"id":${JSON.stringify(id)}`},"outputs":[`;
    const chunks: Uint8Array[] = [];
    const binaries: Uint8Array[] = [];
    for (let i = 0; i < this.#forms.length; i++) {
      const { binary, classes } = this.#forms[i] as OutputForm;
      const output = outputs[i] as TensorValue;
      const tensor = classes > 0 ? classified(output, classes, labels, scheduler.batchable) : output;
      text += `${this.#heads[i]}${listOf(tensor.shape)}]`;
      if (binary) {
        const raw = writeRaw(tensor);
        binaries.push(raw);
        text += `,"parameters":{"binary_data_size":${raw.length}}}`;
        continue;
      }
      text += ',"data":[';
      const elements = writeElements(tensor, settings.nonFinite);
      if (typeof elements === 'string') text += elements;
      else {
        chunks.push(Buffer.from(text), elements);
        text = '';
      }
      text += ']}';
    }
    text += nonFinite > 0 ? `],"parameters":{"non_finite":${nonFinite}}}` : ']}';
    return assembled(text, chunks, binaries);
  }

  #countNonFinite(outputs: readonly TensorValue[]): number {
    let count = 0;
    for (const output of outputs) count += nonFiniteIn(output);
    if (count > 0) this.#model.evidence.nonFinite(count);
    return count;
  }
}

function assembled(text: string, chunks: Uint8Array[], binaries: readonly Uint8Array[]): InferAnswer {
  if (chunks.length === 0 && binaries.length === 0) return { body: text, headerLength: undefined };
  chunks.push(Buffer.from(text));
  if (binaries.length === 0) return { body: chunks, headerLength: undefined };
  const headerLength = chunks.reduce((total, { length }) => total + length, 0);
  return { body: [...chunks, ...binaries], headerLength };
}

function listOf(shape: readonly number[]): string {
  if (shape.length === 0) return '';
  let text = `${shape[0]}`;
  for (let i = 1; i < shape.length; i++) text += `,${shape[i]}`;
  return text;
}
