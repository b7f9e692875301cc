import type { Backend } from '../backend.ts';
import { exportModel, type Normalisation } from '../export/exportModel.ts';
import type { Parameters } from '../parameters.ts';
import type { ReportProgress } from '../progress.ts';
import type { CodeBook } from './codeBook.ts';
import { type Examples, examplesOf, FLIGHTS_SIGNATURE, NUMERIC_FEATURES } from './features.ts';
import { fit, type Keeping, predict } from './fit.ts';
import { buildModel, type TableSizes } from './model.ts';
import { normalisationOf } from './normalise.ts';
import { assertParity } from './parity.ts';
import { splitRows } from './selection.ts';
import { sampleRows } from './split.ts';
import type { FlightTable } from './table.ts';

/** What a run leaves behind; outputs.ts writes it down. */
export interface Trained {
  readonly onnx: Uint8Array;
  readonly training: Examples;
  readonly heldOut: Examples;
  /** Probability of delay of each held-out example. */
  readonly scores: Float32Array;
  /** An example counts as delayed from this probability on: the share of delayed flights in training. */
  readonly threshold: number;
  readonly finalLoss: number;
  readonly largestDifference: number;
}

export interface Run {
  readonly backend: Backend;
  readonly parameters: Parameters;
  readonly report: ReportProgress;
  readonly keep?: Keeping | undefined;
}

/** Selects the flights, trains, exports and proves the export on held-out rows. Throws when it answers otherwise. */
export async function train(run: Run, table: FlightTable, book: CodeBook): Promise<Trained> {
  const { tf } = run.backend;
  const { training, heldOut } = selectExamples(run.parameters, table);
  const tables = tableSizes(run.parameters.vocabulary, book, training);
  const normalisation = normalisationOf(training.numeric, NUMERIC_FEATURES.length);
  const model = buildModel(tf, tables, run.parameters);
  const fitted = { ...run, tf, model, normalisation };
  const finalLoss = await fit(fitted, training);
  const scores = predict(fitted, heldOut);
  const onnx = exportModel(model, exportOptions(normalisation));
  const largestDifference = await assertParity(onnx, heldOut, scores);
  return { onnx, training, heldOut, scores, threshold: meanOf(training.label), finalLoss, largestDifference };
}

const exportOptions = (normalisation: Normalisation) => ({
  name: 'flights',
  signature: FLIGHTS_SIGNATURE,
  normalisation: { numeric: normalisation },
});

function selectExamples(parameters: Parameters, table: FlightTable) {
  const split = splitRows(table, parameters);
  const { rows, evaluationRows, seed } = parameters;
  return {
    training: examplesOf(table, sampleRows(split.training, rows, seed)),
    heldOut: examplesOf(table, sampleRows(split.heldOut, evaluationRows, seed)),
  };
}

/** `codebook`: a row for every airport of the book and one for those outside it. `seen`: up to the highest code trained on. */
function tableSizes(vocabulary: Parameters['vocabulary'], book: CodeBook, training: Examples): TableSizes {
  if (vocabulary === 'codebook') return { origin: book.airports.length, destination: book.airports.length };
  return { origin: highest(training.origin) + 1, destination: highest(training.destination) + 1 };
}

const highest = (codes: Int32Array): number => codes.reduce((max, code) => Math.max(max, code), 0);
const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
