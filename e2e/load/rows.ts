import { flightFiles } from '@slipway/runtime/trainer/flights/dataFiles.ts';
import { type HeldOutOptions, heldOutFlights } from '@slipway/runtime/trainer/flights/heldOut.ts';
import type { Row } from './probe.ts';

/** Real US flights that no training run has seen; unless `selection` says otherwise of the whole half-year and of every airport. */
export async function flightRows(limit: number, selection: HeldOutOptions['selection'] = {}): Promise<Row[]> {
  const flights = await heldOutFlights(flightFiles(), { limit, selection });
  return flights.map(({ request, label }) => ({ body: JSON.stringify(request), label }));
}
