import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ShadowOrder, shadowOrderSchema } from '@slipway/crds/contract';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { afterEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import type { Exchange } from '../evidence/modelEvidence.ts';
import { WANTED } from './observation.ts';
import { Observatory, type ObservedModel } from './observatory.ts';
import { isShadowPass, shadowPass } from './shadow/pass.ts';
import { type CandidateRequest, candidateServer, hangingServer, rows, type TestServer } from './testing/candidate.ts';

const MODEL: ObservedModel = {
  identity: { name: 'flights', version: '3', digest: 'sha256:abc' },
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'month'] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  },
  features: [],
  labels: undefined,
};
const ENTRY = new URL('./thread/entry.ts', import.meta.url);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function kept<S extends TestServer>(server: Promise<S>): Promise<S> {
  const started = await server;
  closing.push(started.close);
  return started;
}

function observatory(settings: object = {}, threadEntry = ENTRY) {
  const log = { info: vi.fn(), error: vi.fn() };
  let now = 0;
  let chance = 0.5;
  const all = new Observatory(servingSettingsSchema.parse(settings), {
    log,
    now: () => now,
    random: () => chance,
    randomBytes,
    version: '0.1.0',
    resource: {},
    threadEntry,
  });
  closing.push(() => all.close());
  const model = all.observe(MODEL);
  const set = (to: { now?: number; chance?: number }) => {
    now = to.now ?? now;
    chance = to.chance ?? chance;
  };
  return { all, model, log, set };
}

const order = (target: string, more: Partial<ShadowOrder> = {}) =>
  shadowOrderSchema.parse({ id: 'rollout-7', target, percent: 100, ...more });

const exchange = (wanted: number, more: Partial<Exchange> = {}): Exchange => ({
  wanted,
  id: 'r1',
  protocol: 'rest',
  traceparent: undefined,
  startedAt: Date.UTC(2026, 0, 2),
  answered: { outcome: 'ok', protocol: 'rest', latencyMs: 4 },
  inputs: wanted & WANTED.inputs ? [rows('x', [[1, 2]])] : [],
  outcome: { outputs: [rows('y', [[3]])], batchRows: 1, queueMs: 1, computeMs: 2, cached: false, run: undefined },
  ...more,
});

const answering = (y: number) => candidateServer(() => [rows('y', [[y]])]);

test.each<[string, object, string | undefined, number, number]>([
  ['nobody, without settings', {}, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 0, 0],
  ['the log, by its share', { logging: { share: 0.1 } }, undefined, 0.09, WANTED.log],
  ['nobody, beyond the share', { logging: { share: 0.1 } }, undefined, 0.1, 0],
  [
    'the log, with inputs to hash',
    { logging: { share: 1, hash: ['month'] } },
    undefined,
    0.5,
    WANTED.log | WANTED.inputs,
  ],
  [
    'the trace, by its caller',
    { tracing: { endpoint: 'http://127.0.0.1:1', share: 0 } },
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    0.5,
    WANTED.trace,
  ],
  [
    'samples, with inputs',
    { samples: { url: 'http://127.0.0.1:1', share: 0.5 } },
    undefined,
    0.4,
    WANTED.sample | WANTED.inputs,
  ],
])('a request is wanted by %s', (_, settings, traceparent, chance, wanted) => {
  const { model, set } = observatory(settings);
  set({ chance });
  expect(model.wants(traceparent, false)).toBe(wanted);
});

test('a share of requests is copied while an order runs, and no copy is copied again', () => {
  const { model, set } = observatory();
  model.orderShadow(order('http://127.0.0.1:1', { percent: 25, expiresInSeconds: 15 }));
  const copied = WANTED.shadow | WANTED.inputs;
  set({ chance: 0.24 });
  expect([model.wants(undefined, false), model.wants(undefined, true)]).toEqual([copied, 0]);
  set({ chance: 0.25 });
  expect(model.wants(undefined, false)).toBe(0);
  set({ chance: 0, now: 14_999 });
  expect(model.wants(undefined, false)).toBe(copied);
  set({ now: 15_000 });
  expect(model.wants(undefined, false)).toBe(0);
  model.orderShadow(order('http://127.0.0.1:1'));
  model.orderShadow(null);
  expect(model.wants(undefined, false)).toBe(0);
});

test('copies are compared on the other thread, and the evidence comes back', async () => {
  const { url } = await kept(answering(4));
  const { model } = observatory();
  model.orderShadow(order(url, { segment: 'month' }));
  for (let i = 0; i < 20; i++) model.take(exchange(model.wants(undefined, false)));
  await vi.waitFor(() => expect(model.shadowEvidence()?.compared).toBe(20), { timeout: 10_000 });
  expect(model.shadowEvidence()).toMatchObject({
    order: 'rollout-7',
    disagreed: 20,
    failed: 0,
    skipped: 0,
    segments: { 2: { compared: 20, disagreed: 20 } },
  });
});

test('with a candidate that hangs, no more is copied than there is room for; the rest is skipped', async () => {
  const { url } = await kept(hangingServer());
  const { model, all } = observatory({ shadow: { maxQueue: 10 } });
  model.orderShadow(order(url));
  let copies = 0;
  for (let i = 0; i < 1000; i++) {
    const wanted = model.wants(undefined, false);
    if (wanted === 0) continue;
    copies++;
    model.take(exchange(wanted));
  }
  expect(copies).toBe(10);
  expect(all.thread.shadowRoom.items).toBe(10);
  expect(model.shadowEvidence()).toMatchObject({ compared: 0, skipped: 990 });
  model.orderShadow(null);
  await vi.waitFor(() => expect(all.thread.shadowRoom.items).toBe(0), { timeout: 10_000 });
  await vi.waitFor(() => expect(model.shadowEvidence()).toMatchObject({ failed: 0, skipped: 1000 }), {
    timeout: 10_000,
  });
});

test('a request that there is no room to copy is logged all the same', async () => {
  const { url } = await kept(hangingServer());
  const { model } = observatory({ shadow: { maxQueue: 1 }, logging: { share: 1 } });
  model.orderShadow(order(url));
  model.take(exchange(model.wants(undefined, false)));
  expect(model.wants(undefined, false)).toBe(WANTED.log);
  expect(model.shadowEvidence()?.skipped).toBe(1);
});

test('a candidate that hangs costs the next requests no copies once it has not answered, nor another model its own', async () => {
  const { url } = await kept(hangingServer());
  const shadow = { maxQueue: 10, concurrency: 2, timeoutMs: 100 };
  const { model, all } = observatory({ shadow });
  const other = all.observe({ ...MODEL, identity: { ...MODEL.identity, name: 'other' } });
  const copied = (of: typeof model): boolean => {
    const wanted = of.wants(undefined, false);
    if (wanted !== 0) of.take(exchange(wanted));
    return wanted !== 0;
  };
  model.orderShadow(order(url, { expiresInSeconds: 300 }));
  expect(Array.from({ length: 20 }, () => copied(model)).filter(Boolean)).toHaveLength(10);
  await vi.waitFor(() => expect(model.shadowEvidence()?.failed).toBeGreaterThan(0), { timeout: 10_000 });
  await vi.waitFor(() => expect(all.thread.shadowRoom.items).toBeLessThan(3), { timeout: 10_000 });
  Array.from({ length: 20 }, () => copied(model));
  expect(all.thread.shadowRoom.items).toBeLessThan(3);
  other.orderShadow(order((await kept(answering(3))).url));
  expect(copied(other)).toBe(true);
  await vi.waitFor(() => expect(other.shadowEvidence()?.compared).toBe(1), { timeout: 10_000 });
});

test('large copies are bounded by their bytes, before they are made', async () => {
  const { url } = await kept(hangingServer());
  const { model } = observatory({ shadow: { maxQueueBytes: 1024 * 1024 } });
  model.orderShadow(order(url));
  let copies = 0;
  for (let i = 0; i < 1000; i++) {
    const wanted = model.wants(undefined, false);
    if (wanted === 0) continue;
    copies++;
    const inputs = [{ ...rows('x', [[1, 2]]), shape: [25_000, 2], elements: new Float32Array(50_000) }];
    model.take(exchange(wanted, { inputs }));
  }
  expect(copies).toBe(5);
});

test('a traced request gives its trace to its copy, with its own span as the parent', async () => {
  const asked: CandidateRequest[] = [];
  const { url } = await kept(
    candidateServer((request) => {
      asked.push(request);
      return [rows('y', [[3]])];
    }),
  );
  const { model } = observatory({ tracing: { endpoint: 'http://127.0.0.1:1', share: 0 } });
  model.orderShadow(order(url), shadowPass('secret', 'rollout-7'));
  const trace = '0af7651916cd43dd8448eb211c80319c';
  for (const flags of ['01', '00']) {
    const traceparent = `00-${trace}-b7ad6b7169203331-${flags}`;
    model.take(exchange(model.wants(traceparent, false), { traceparent }));
  }
  await vi.waitFor(() => expect(asked).toHaveLength(2), { timeout: 10_000 });
  const parents = asked
    .map(({ headers }) => headers['traceparent'] as string)
    .sort((a, b) => a.slice(-2).localeCompare(b.slice(-2)));
  expect(parents).toEqual([
    `00-${trace}-b7ad6b7169203331-00`,
    expect.stringMatching(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`)),
  ]);
  expect(asked[0]?.headers['authorization']).toBe(shadowPass('secret', 'rollout-7'));
});

/** Closing waits three seconds, and on a busy machine a thread may take as long to start: that is not what is tested. */
async function sampling(file: string) {
  const { model, all } = observatory({ samples: { share: 1, file } });
  model.take(exchange(model.wants(undefined, false), { id: 'first' }));
  await vi.waitFor(() => expect(all.counts.samples.sent).toBe(1), { timeout: 20_000 });
  return { model, all };
}

test('samples are written on the other thread; closing waits for them', async () => {
  const file = join(await temporaryFolder('samples'), 'samples.jsonl');
  const { model, all } = await sampling(file);
  for (let i = 0; i < 100; i++) model.take(exchange(model.wants(undefined, false), { id: `r${i}` }));
  await model.close();
  await all.close();
  const ids = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual(['first', ...Array.from({ length: 100 }, (_, i) => `r${i}`)]);
  expect(all.counts.samples).toEqual({ sent: 101, dropped: 0, waiting: 0 });
});

test('samples that come faster than they are written are dropped and counted', async () => {
  const { model, all } = await sampling(join(await temporaryFolder('samples'), 'samples.jsonl'));
  for (let i = 0; i < 1000; i++) model.take(exchange(model.wants(undefined, false)));
  await all.close();
  const { sent, dropped } = all.counts.samples;
  expect(sent).toBeGreaterThan(1);
  expect(dropped).toBeGreaterThan(0);
  expect(sent + dropped).toBe(1001);
});

test('a thread that dies is replaced, and what it had counted stays counted', async () => {
  const { url } = await kept(answering(3));
  const mortal = new URL('./testing/mortalEntry.ts', import.meta.url);
  const { model, all, log, set } = observatory({}, mortal);
  model.orderShadow(order(url, { expiresInSeconds: 300 }));
  model.take(exchange(model.wants(undefined, false)));
  await vi.waitFor(() => expect(model.shadowEvidence()?.compared).toBe(1), { timeout: 10_000 });
  model.take(exchange(model.wants(undefined, false), { id: 'die' }));
  await vi.waitFor(() => expect(log.error).toHaveBeenCalledWith(expect.anything(), 'the watcher thread died'), {
    timeout: 10_000,
  });
  await vi.waitFor(() => expect(all.thread.shadowRoom.items).toBe(0));
  set({ now: 2000 });
  model.orderShadow(order(url, { expiresInSeconds: 300 }));
  model.take(exchange(model.wants(undefined, false)));
  await vi.waitFor(() => expect(model.shadowEvidence()?.compared).toBe(2), { timeout: 10_000 });
});

test('errors of the server are logged whether or not the request was wanted', () => {
  const { model, log } = observatory();
  const { inputs: _inputs, outcome: _outcome, ...rest } = exchange(0);
  const failed = { ...rest, answered: { outcome: 'serverError', protocol: 'rest', latencyMs: 1 } as const };
  model.failed({ ...failed, status: 500, sentence: 'The model failed.' });
  model.failed({ ...failed, status: 400, sentence: 'Wrong.' });
  expect(log.error).toHaveBeenCalledOnce();
  expect(log.info).not.toHaveBeenCalled();
});

test.each<[string, Partial<ShadowOrder>, RegExp]>([
  [
    'a target of another protocol',
    { target: 'grpc://10.0.0.1:8081' },
    /go to http:\/\/host:port or https:.*not to grpc:/,
  ],
  ['a segment that the model does not have', { segment: 'airline' }, /"airline" is no feature of the model/],
  ['a segment of many values', { segment: 'x' }, /"x" is no feature of the model, and no input of one value/],
])('an order with %s is refused with a sentence', (_, more, sentence) => {
  const { model } = observatory();
  expect(() => model.orderShadow(order('http://10.0.0.1:8080', more))).toThrow(sentence);
});

test('a closed model wants nothing more', async () => {
  const { model } = observatory({ logging: { share: 1 } });
  model.orderShadow(order('http://127.0.0.1:1'));
  await model.close();
  expect(model.wants(undefined, false)).toBe(0);
});

test('a pass is good for its order and its token only', () => {
  const pass = shadowPass('secret', 'rollout-7');
  expect(isShadowPass('secret', 'rollout-7', pass)).toBe(true);
  expect(isShadowPass('secret', 'rollout-8', pass)).toBe(false);
  expect(isShadowPass('other', 'rollout-7', pass)).toBe(false);
  expect(isShadowPass('secret', 'rollout-7', `${pass}0`)).toBe(false);
  expect(isShadowPass('', 'rollout-7', shadowPass('', 'rollout-7'))).toBe(false);
});
