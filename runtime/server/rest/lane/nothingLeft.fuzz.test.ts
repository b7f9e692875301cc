import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { slow } from '../../../test/artifacts.ts';
import { mirror, openTestModel, type TestModel } from '../testing/models.ts';
import { GOOD, INFER } from '../testing/refusals.ts';
import { serving } from '../testing/serving.ts';
import { exchange, post } from '../testing/socket.ts';

let opened: TestModel;
let sluggish: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  sluggish = await openTestModel(slow, { engine: { inline: 'Never' } });
});
afterAll(() => Promise.all([opened.close(), sluggish.close()]));

const CALLERS = 100;

const QUICK = post(INFER, GOOD);
const SLOW = post('/v2/models/slow/infer', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
const MUCH = Buffer.concat(Array.from({ length: 400 }, () => QUICK));

/** What a caller may do before it goes. */
const ACTS: Readonly<Record<string, (socket: Socket) => unknown>> = {
  asks: (socket) => socket.write(QUICK),
  asksWhatTakesLong: (socket) => socket.write(SLOW),
  asksHalf: (socket) => socket.write(QUICK.subarray(0, -10)),
  saysTheRest: (socket) => socket.write(QUICK.subarray(-10)),
  asksMuchAtOnce: (socket) => socket.write(MUCH),
  saysNonsense: (socket) => socket.write('nonsense\r\n\r\n'),
  asksForTheState: (socket) => socket.write('GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n'),
  readsNoMore: (socket) => socket.pause(),
  waits: () => turn(),
  saysNoMore: (socket) => socket.end(),
};

const caller = fc.record({
  acts: fc.array(fc.constantFrom(...Object.keys(ACTS)), { minLength: 1, maxLength: 6 }),
  resets: fc.boolean(),
});

async function play(port: number, { acts, resets }: { acts: readonly string[]; resets: boolean }): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  for (const act of acts) {
    if (socket.destroyed || socket.writableEnded) break;
    await ACTS[act]?.(socket);
    await turn();
  }
  if (resets) socket.resetAndDestroy();
  else socket.destroy();
}

test('whatever callers do before they go, nothing of them is left', async () => {
  const { port, rest, server, failures } = await serving([opened.model, sluggish.model]);
  await Promise.all(fc.sample(caller, CALLERS).map((one) => play(port, one)));
  const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  const { scheduler } = sluggish.model;
  await vi.waitFor(
    async () => {
      const { waiting, running } = scheduler.counts();
      expect([await connections(), rest.inFlight, waiting, running]).toEqual([0, 0, 0, 0]);
    },
    { timeout: 8000 },
  );
  expect(failures).toEqual([]);
  expect((await exchange(port, QUICK)).status).toBe(200);
});
