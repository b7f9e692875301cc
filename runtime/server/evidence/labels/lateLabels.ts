import type { Evidence } from '@slipway/crds/contract';
import { badRequest, listed } from '../../requestError.ts';
import type { TensorValue } from '../../tensor.ts';
import { CALIBRATION_WORDS, Calibration } from './calibration.ts';
import type { ConfidenceReader } from './confidence.ts';
import { LABEL_BATCH_WORDS, LabelBatches } from './labelBatches.ts';
import { type PredictionReader, textHash } from './prediction.ts';
import type { RememberedAnswers, Verdict } from './rememberedAnswers.ts';

const COUNTS = 3;
/** Words in shared memory: right, wrong, unknown, their batches, and how sure the model was. */
export const LABEL_WORDS = COUNTS + LABEL_BATCH_WORDS + CALIBRATION_WORDS;
const AT = { right: 0, wrong: 1, unknown: 2 } as const;

/** A number is right within this share of the label, or of 1 where the label is less. */
const TOLERANCE = 1e-3;

/** Rows of one request that are remembered: a thousand rows under one id are a scoring job, which has its own labels. */
const MOST_ROWS = 64;

const MOST_NAMES_LISTED = 10;

/** What is read of an answer: the prediction, and how sure the model was of it. */
export interface LabelReaders {
  readonly prediction: PredictionReader | undefined;
  readonly confidence: ConfidenceReader | undefined;
}

/** Holds answers until their true outcome is known, and counts how often the model was right. */
export class LateLabels {
  readonly #reader: PredictionReader | undefined;
  readonly #classes: readonly string[] | undefined;
  readonly #answers: RememberedAnswers;
  readonly #words: Float64Array;
  readonly #batches: LabelBatches;
  readonly #confidence: ConfidenceReader | undefined;
  readonly #calibration: Calibration;

  constructor(
    { prediction, confidence }: LabelReaders,
    classes: readonly string[] | undefined,
    answers: RememberedAnswers,
    words: Float64Array,
  ) {
    this.#reader = prediction;
    this.#confidence = confidence;
    this.#classes = classes;
    this.#answers = answers;
    this.#words = words;
    this.#batches = new LabelBatches(words.subarray(COUNTS));
    this.#calibration = new Calibration(words.subarray(COUNTS + LABEL_BATCH_WORDS));
  }

  /** One row as `id`, row i of several as `<id>#<i>`. */
  remember(id: string, outputs: readonly TensorValue[], now: number): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const tensor = tensorNamed(reader.output, outputs);
    if (tensor === undefined) return;
    const beside = this.#confidence && tensorNamed(this.#confidence.output, outputs);
    const answered = reader.rows(tensor);
    const told = beside === tensor || beside?.shape[0] === answered ? beside : undefined;
    const rows = Math.min(answered, MOST_ROWS);
    for (let row = 0; row < rows; row++) {
      const predicted = reader.predicted(tensor, row);
      const confidence = told === undefined ? undefined : this.#confidence?.confidence(told, row, predicted);
      this.#answers.remember(rows === 1 ? id : `${id}#${row}`, predicted, confidence ?? Number.NaN, now);
    }
  }

  /** Throws RequestError 400 for a label that the model could never answer. An unknown one is not counted: a peer may know it. */
  label(id: string, label: string | number | boolean, now: number): Verdict | 'unknown' {
    const truth = this.#truth(label);
    const remembered = this.#answers.find(id, now);
    if (remembered === undefined) return 'unknown';
    if (remembered.verdict !== undefined) return remembered.verdict;
    const verdict = this.#agrees(remembered.predicted, truth) ? 'right' : 'wrong';
    this.#answers.judge(id, verdict, now);
    this.#batches.count(verdict === 'wrong', remembered.at);
    this.#calibration.count(remembered.confidence, verdict === 'right');
    return this.#count(verdict);
  }

  /** Counts labels of requests that nobody remembers. */
  countUnknown(labels: number): void {
    this.#words[AT.unknown] = (this.#words[AT.unknown] as number) + labels;
  }

  counts(): NonNullable<Evidence['labels']> {
    const [right = 0, wrong = 0, unknown = 0] = this.#words;
    const calibration = this.#confidence?.holdsProbabilities ? this.#calibration.counts() : undefined;
    return { right, wrong, unknown, batches: this.#batches.counts(), ...(calibration && { calibration }) };
  }

  #count(result: Verdict): Verdict {
    this.#words[AT[result]] = (this.#words[AT[result]] as number) + 1;
    return result;
  }

  #agrees(predicted: number, truth: number): boolean {
    if (this.#reader?.kind !== 'number') return predicted === truth;
    return Math.abs(predicted - truth) <= TOLERANCE * Math.max(1, Math.abs(truth));
  }

  #truth(label: string | number | boolean): number {
    if (this.#reader?.kind === 'text') return textHash(String(label));
    if (typeof label === 'string') {
      const named = this.#classes?.indexOf(label) ?? -1;
      if (named >= 0) return named;
    }
    const number = typeof label === 'string' && label.trim() === '' ? Number.NaN : Number(label);
    if (this.#reader?.kind === 'number' ? Number.isFinite(number) : this.#isClass(number)) return number;
    throw badRequest(`${JSON.stringify(label)} is no label of this model; send ${this.#wanted()}.`);
  }

  #isClass(number: number): boolean {
    return (
      Number.isSafeInteger(number) && (this.#classes === undefined || (number >= 0 && number < this.#classes.length))
    );
  }

  #wanted(): string {
    if (this.#reader?.kind === 'number') return 'a number';
    if (this.#classes === undefined) return 'the number of a class';
    const names = listed(this.#classes.slice(0, MOST_NAMES_LISTED));
    return `the number of a class or one of its ${this.#classes.length} names, such as ${names}`;
  }
}

function tensorNamed(name: string, tensors: readonly TensorValue[]): TensorValue | undefined {
  for (const tensor of tensors) if (tensor.name === name) return tensor;
  return undefined;
}
