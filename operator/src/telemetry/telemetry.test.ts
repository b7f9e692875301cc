import { afterEach, expect, test } from 'vitest';
import { serveHealth } from './health.ts';
import type { Listening } from './listening.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';

let now = new Date('2026-01-01T00:00:00Z');
let health: Listening | undefined;
afterEach(() => health?.close());

const get = async (path: string): Promise<[number, string]> => {
  const answer = await fetch(`http://127.0.0.1:${health?.port}${path}`);
  return [answer.status, await answer.text()];
};

test('the health server tells live, ready and metrics apart', async () => {
  const { registry, meter } = createMetrics(() => now);
  let ready = false;
  health = await serveHealth({ port: 0, registry, ready: () => ready });
  expect(await get('/livez')).toEqual([200, 'ok\n']);
  expect(await get('/readyz')).toEqual([503, 'caches are filling\n']);
  ready = true;
  expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
  expect((await get('/nothing'))[0]).toBe(404);
  meter.leading(true);
  expect((await get('/metrics'))[1]).toContain('slipway_operator_leader 1');
});

test('everything the machinery counts is exported', async () => {
  const { registry, meter } = createMetrics(() => now);
  meter.apiCall('get', 404, 0.002);
  meter.watchRestart('pods', 'Expired');
  meter.callbackFailure('pods');
  meter.queueDepth('trainingjob', 7);
  meter.pass('trainingjob', 'again', 0.02);
  meter.eventLost();
  const text = await registry.metrics();
  for (const line of [
    'slipway_operator_api_call_seconds_count{verb="get",code="404"} 1',
    'slipway_operator_watch_restarts_total{resource="pods",why="Expired"} 1',
    'slipway_operator_callback_failures_total{resource="pods"} 1',
    'slipway_operator_queue_depth{controller="trainingjob"} 7',
    'slipway_operator_pass_seconds_count{controller="trainingjob",outcome="again"} 1',
    'slipway_operator_events_lost_total 1',
    'slipway_operator_leader 0',
  ])
    expect(text).toContain(line);
});

test('the staleness of a watch grows while nothing is heard', async () => {
  const { registry, meter } = createMetrics(() => now);
  meter.heard('pods', now);
  now = new Date(now.getTime() + 90_000);
  expect(await registry.metrics()).toContain('slipway_operator_watch_staleness_seconds{resource="pods"} 90');
});

const written = (terminal: boolean): { log: ReturnType<typeof createLog>; lines: string[] } => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLog({ level: 'info', terminal, destination }), lines };
};

test('a collector gets JSON with level names, times and stacks', () => {
  const { log, lines } = written(false);
  log.child({ controller: 'trainingjob' }).error({ err: new Error('no') }, 'a pass failed');
  log.debug({}, 'below the level');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 'error',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      controller: 'trainingjob',
      msg: 'a pass failed',
      err: expect.objectContaining({ message: 'no', stack: expect.stringContaining('telemetry.test') }),
    },
  ]);
});

test('a person at a terminal gets a line to read', () => {
  const { log, lines } = written(true);
  log.info({ identity: 'pod-1', failures: 2 }, 'leading');
  log.error({ err: new Error('no') }, 'ended');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d INFO {2}leading {2}identity=pod-1 failures=2\n$/);
  expect(lines[1]).toMatch(/ERROR ended {2}err=no\nError: no\n {4}at /);
});
