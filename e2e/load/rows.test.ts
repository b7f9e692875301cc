import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import type { heldOutFlights } from '@slipway/runtime/trainer/flights/heldOut.ts';
import { expect, test } from 'vitest';
import { flightRows } from './rows.ts';

test('flights are read once for each selection, and whoever asks for fewer gets the first of them', async () => {
  const asked: unknown[] = [];
  const heldOut: typeof heldOutFlights = async (_, { limit = 0, selection } = {}) => {
    asked.push(selection);
    const flight = { originCode: 1, destinationCode: 2, request: { id: String(asked.length), inputs: [] } };
    return Array.from({ length: limit }, (_, id) => ({ ...flight, id, label: id % 2 }));
  };
  const around = { folder: await temporaryFolder('rows'), heldOut };
  const body = (draw: number) => JSON.stringify({ id: String(draw), inputs: [] });

  expect(await flightRows(1, {}, around)).toEqual([{ body: body(1), label: 0 }]);
  expect((await flightRows(2, {}, around)).slice(1)).toEqual([{ body: body(1), label: 1 }]);
  expect(await flightRows(1, { monthFrom: 5 }, around)).toEqual([{ body: body(2), label: 0 }]);
  expect(await flightRows(1, { monthFrom: 5 }, around)).toEqual([{ body: body(2), label: 0 }]);
  expect(await flightRows(20_001, {}, around), 'more than are kept').toHaveLength(20_001);
  expect(asked).toEqual([{}, { monthFrom: 5 }, {}]);
});
