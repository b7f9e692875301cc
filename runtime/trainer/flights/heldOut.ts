import type { Golden } from '@slipway/crds/contract';
import { readCodeBook } from './codeBook.ts';
import type { FlightFiles } from './dataFiles.ts';
import { type Examples, examplesOf, NUMERIC_FEATURES, sliceExamples } from './features.ts';
import { heldOutRows, type Selection } from './selection.ts';
import { type FlightTable, readFlights } from './table.ts';

/** A real flight that no training run has seen, as a V2 inference request with its true label. */
export interface HeldOutFlight {
  /** Row of the flights file. */
  readonly id: number;
  /** 1 when it arrived more than 15 minutes late, else 0. */
  readonly label: number;
  readonly originCode: number;
  readonly destinationCode: number;
  /** Body of POST /v2/models/<model>/infer. */
  readonly request: InferRequest;
}

export interface InferRequest {
  readonly id: string;
  readonly inputs: Golden['inputs'];
}

export interface HeldOutOptions {
  /** Default: the months of the whole file and all airports. */
  readonly selection?: Partial<Selection>;
  /** How many flights at most. Default 10,000. */
  readonly limit?: number;
  /** Draws which and in what order. Default 1. */
  readonly seed?: number;
}

const WHOLE_FILE: Selection = { monthFrom: 1, monthTo: 6, busiestAirports: 0 };

/** Reads the data and returns held-out flights in an order drawn by the seed; about three seconds. */
export async function heldOutFlights(files: FlightFiles, options: HeldOutOptions = {}): Promise<HeldOutFlight[]> {
  return heldOutFlightsOf(await readFlights(files.flights, await readCodeBook(files.routes)), options);
}

/** The same from flights that are already read. */
export function heldOutFlightsOf(table: FlightTable, options: HeldOutOptions = {}): HeldOutFlight[] {
  const selection = { ...WHOLE_FILE, ...options.selection };
  const examples = examplesOf(table, heldOutRows(table, selection, options.limit ?? 10_000, options.seed ?? 1));
  return examples.rows.map((id, index) => heldOutFlight(id, sliceExamples(examples, index, index + 1)));
}

function heldOutFlight(id: number, example: Examples): HeldOutFlight {
  return {
    id,
    label: example.label[0] ?? 0,
    originCode: example.origin[0] ?? 0,
    destinationCode: example.destination[0] ?? 0,
    request: { id: String(id), inputs: inputTensors(example) },
  };
}

/** The examples as Open Inference Protocol tensors, one batch. */
export function inputTensors(examples: Examples): Golden['inputs'] {
  const batch = examples.rows.length;
  return [
    {
      name: 'numeric',
      datatype: 'FP32',
      shape: [batch, NUMERIC_FEATURES.length],
      data: Array.from(examples.numeric),
    },
    { name: 'origin', datatype: 'INT64', shape: [batch, 1], data: Array.from(examples.origin) },
    { name: 'destination', datatype: 'INT64', shape: [batch, 1], data: Array.from(examples.destination) },
  ];
}
