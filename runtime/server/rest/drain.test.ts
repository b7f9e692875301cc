import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { slow } from '../../test/artifacts.ts';
import { drain } from './drain.ts';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { GOOD, INFER } from './testing/refusals.ts';
import { serving } from './testing/serving.ts';
import { get, post } from './testing/socket.ts';

let opened: TestModel;
let sluggish: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  sluggish = await openTestModel(slow, { engine: { inline: 'Never' } });
  return async () => void (await Promise.all([opened.close(), sluggish.close()]));
});

/** A pool of kept connections, as proxies and clients have it. */
function pool(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  onTestFinished(() => agent.destroy());
  const body = JSON.stringify(GOOD);
  const ask = async (): Promise<number> => {
    const asked = request({ port, agent, method: 'POST', path: INFER, headers: { 'content-length': body.length } });
    asked.end(body);
    const [response] = await once(asked, 'response');
    await text(response);
    return response.statusCode;
  };
  return ask;
}

test('a drain under load over kept connections loses no request', async () => {
  const { port, server, state } = await serving([opened.model]);
  const ask = pool(port);
  const statuses: number[] = [];
  let leaving = false;
  const caller = async () => {
    while (!leaving) statuses.push(await ask());
  };
  const callers = Array.from({ length: 8 }, caller);
  await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(100));
  state.phase = 'Draining';
  const served = statuses.length;
  // Callers go on for the whole drain time, which ends when they have been served a hundred times more.
  const pause = async (ms: number) => {
    if (ms !== 1) return new Promise<void>(() => undefined);
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(served + 100));
    leaving = true;
    await Promise.all(callers);
  };
  await drain(server, { drainMs: 1, patienceMs: 2, pause });
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(server.listening).toBe(false);
});

test('what is under way when the port closes is answered', async () => {
  const { send, server, state, rest } = await serving([sluggish.model]);
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] };
  const asked = send(post('/v2/models/slow/infer', body));
  await vi.waitFor(() => expect(rest.inFlight).toBe(1));
  state.phase = 'Draining';
  const pause = (ms: number) => (ms === 0 ? Promise.resolve() : new Promise<void>(() => undefined));
  const drained = drain(server, { drainMs: 0, patienceMs: 1, pause });
  await expect(send(get('/v2'))).rejects.toThrow();
  expect((await asked).status).toBe(200);
  await drained;
});

test('a caller that never lets go is not waited for longer than patience lasts', async () => {
  const { port, server, state, rest } = await serving([opened.model]);
  const asked = request({ port, method: 'POST', path: INFER, headers: { 'content-length': 10 } });
  asked.on('error', () => undefined).write('{');
  await vi.waitFor(() => expect(rest.inFlight).toBe(1));
  state.phase = 'Draining';
  await drain(server, { drainMs: 0, patienceMs: 1, pause: () => Promise.resolve() });
  await vi.waitFor(() => expect(rest.inFlight).toBe(0));
});
