import { UNKNOWN_AIRPORT } from './codeBook.ts';
import { monthOf } from './features.ts';
import { isHeldOut, sampleRows } from './split.ts';
import type { FlightTable } from './table.ts';

/** Which flights a run is about. Bounds are inclusive; `busiestAirports` 0 means all airports. */
export interface Selection {
  readonly monthFrom: number;
  readonly monthTo: number;
  readonly busiestAirports: number;
}

export interface Split {
  readonly training: readonly number[];
  readonly heldOut: readonly number[];
}

/** Rows of the selection, parted by the fixed hold-out rule. */
export function splitRows(table: FlightTable, selection: Selection): Split {
  const training: number[] = [];
  const heldOut: number[] = [];
  const isInMonths = monthFilter(selection);
  for (let row = 0; row < table.rows; row++) {
    if (!isInMonths(table.departure[row] ?? 0) || !joinsBusiest(table, row, selection.busiestAirports)) continue;
    (isHeldOut(row) ? heldOut : training).push(row);
  }
  return { training, heldOut };
}

/** Held-out rows of the selection, `limit` of them in an order drawn by the seed. */
export const heldOutRows = (table: FlightTable, selection: Selection, limit: number, seed: number) =>
  sampleRows(splitRows(table, selection).heldOut, limit, seed);

/** Dates are made once a day and not once a flight: three million of them take seconds. */
function monthFilter({ monthFrom, monthTo }: Selection): (departure: number) => boolean {
  const known = new Map<number, boolean>();
  return (departure) => {
    const day = Math.floor(departure / 1440);
    let inside = known.get(day);
    if (inside === undefined) {
      const month = monthOf(departure);
      inside = month >= monthFrom && month <= monthTo;
      known.set(day, inside);
    }
    return inside;
  };
}

function joinsBusiest(table: FlightTable, row: number, busiest: number): boolean {
  if (busiest === 0) return true;
  const isBusy = (code: number | undefined) => code !== undefined && code !== UNKNOWN_AIRPORT && code <= busiest;
  return isBusy(table.origin[row]) && isBusy(table.destination[row]);
}
