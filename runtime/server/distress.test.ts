import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { lookup, modelArtifact, slowBy, type TestArtifact } from '../test/artifacts.ts';
import { type ServerProcess, startServer } from '../test/serverProcess.ts';

const bodyOf = (name: string, datatype: string, shape: number[], data: number[]) =>
  JSON.stringify({ inputs: [{ name, datatype, shape, data }] });

async function started(artifact: TestArtifact, settings: object = {}): Promise<{ server: ServerProcess; url: string }> {
  const server = await startServer(artifact, { SLIPWAY_SETTINGS: JSON.stringify(settings) });
  await server.logged('ready');
  return { server, url: await server.url('rest', '/v2/models/flights/infer') };
}

const statusOf = async (url: string, body: string) => {
  const response = await fetch(url, { method: 'POST', body });
  return [response.status, await response.json(), response.headers.get('retry-after')] as const;
};

/** A request of its own connection, and the means to walk away from it. */
function leaveable(url: string, body: string): { gone: Promise<void>; leave: () => void } {
  const call = request(url, { method: 'POST', agent: new Agent() }, (response) => response.resume());
  const gone = new Promise<void>((resolve) => {
    call.once('error', () => resolve());
    call.once('close', () => resolve());
  });
  call.end(body);
  return { gone, leave: () => call.destroy() };
}

test('LitServe#340: one poison row in a batch fails alone', async () => {
  const { server, url } = await started(await modelArtifact(lookup));
  const codes = Array.from({ length: 64 }, (_, i) => (i === 13 ? 7 : i % 3));
  const answers = await Promise.all(codes.map((code) => statusOf(url, bodyOf('code', 'INT64', [1, 1], [code]))));
  expect(answers.map(([status]) => status)).toEqual(codes.map((code) => (code === 7 ? 500 : 200)));
  for (const [i, [, body]] of answers.entries()) {
    const code = codes[i] as number;
    if (code !== 7) expect(body).toMatchObject({ outputs: [{ data: [2 * code + 1, 2 * code + 2] }] });
  }
  expect((await server.evidence()).requests).toEqual({ ok: 63, clientError: 0, serverError: 1, shed: 0 });
  await server.kill();
});

describe('a server that is asked for more than it can do', () => {
  test('refuses what its queue has no room for, says when to come again, and answers the rest', async () => {
    const { server, url } = await started(await modelArtifact(slowBy(700)), { batching: { maxQueue: 2 } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => statusOf(url, bodyOf('x', 'FP32', [1], [1]))));
    const shed = answers.filter(([status]) => status === 503);
    expect(new Set(answers.map(([status]) => status))).toEqual(new Set([200, 503]));
    for (const [, body, retryAfter] of shed) {
      expect([body, Number(retryAfter)]).toEqual([{ error: expect.any(String) }, expect.any(Number)]);
      expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    }
    expect((await server.evidence()).requests).toEqual({
      ok: 8 - shed.length,
      clientError: 0,
      serverError: 0,
      shed: shed.length,
    });
    expect((await server.fetch('admin', '/readyz')).status).toBe(200);
    await server.kill();
  });

  test('does not run what nobody waits for any more', async () => {
    const { server, url } = await started(await modelArtifact(slowBy(1000)));
    const running = statusOf(url, bodyOf('x', 'FP32', [1], [1]));
    const leaving = Array.from({ length: 6 }, () => leaveable(url, bodyOf('x', 'FP32', [1], [2])));
    while ((await server.evidence()).inFlight < 7) await pause(5);
    for (const { leave } of leaving) leave();
    await Promise.all(leaving.map(({ gone }) => gone));
    expect((await running)[0]).toBe(200);
    while ((await server.evidence()).inFlight > 0) await pause(5);
    const metrics = await (await server.fetch('admin', '/metrics')).text();
    const cancelled = (stage: string): number =>
      Number(
        RegExp(`^slipway_requests_cancelled_total\\{.*stage="${stage}".*\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0,
      );
    // Callers leave one after another: the engine may have begun on one or two of them, and is told to stop.
    expect(cancelled('queued')).toBeGreaterThan(0);
    expect(cancelled('queued') + cancelled('running')).toBe(6);
    expect((await server.evidence()).requests).toMatchObject({ ok: 1, serverError: 0 });
    await server.kill();
  });
});
