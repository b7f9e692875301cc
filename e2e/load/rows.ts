import { flightFiles } from '@slipway/runtime/trainer/flights/dataFiles.ts';
import { heldOutFlights } from '@slipway/runtime/trainer/flights/heldOut.ts';
import type { Row } from './probe.ts';

/** Real US flights that no training run has seen, of the whole half-year and of every airport. */
export async function flightRows(limit: number): Promise<Row[]> {
  const flights = await heldOutFlights(flightFiles(), { limit });
  return flights.map(({ request, label }) => ({ body: JSON.stringify(request), label }));
}
