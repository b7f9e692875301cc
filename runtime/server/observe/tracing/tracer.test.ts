import { randomBytes } from 'node:crypto';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { afterEach, expect, test } from 'vitest';
import type { Answered, Exchange } from '../../evidence/modelEvidence.ts';
import { bodyOf, httpServer, type TestServer } from '../testing/candidate.ts';
import { formatTraceparent } from './traceparent.ts';
import { Tracer } from './tracer.ts';

const MODEL = { name: 'flights', version: '3', digest: `sha256:${'a'.repeat(64)}` };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

interface Received {
  readonly path: string | undefined;
  readonly type: string | undefined;
  readonly body: { resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: WireSpan[] }[] }[] };
}
interface Attribute {
  readonly key: string;
  readonly value: object;
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: object;
}

const closing: TestServer[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

/** A collector that keeps what it is sent, after answering the first requests with `statuses`. */
async function collector(...statuses: number[]) {
  const received: Received[] = [];
  const server = await httpServer(async (request, response) => {
    const body = JSON.parse((await bodyOf(request)).toString());
    const status = statuses.shift() ?? 200;
    if (status === 200) received.push({ path: request.url, type: request.headers['content-type'], body });
    response.writeHead(status, { 'retry-after': '0' }).end('{}');
  });
  closing.push(server);
  return { url: server.url, received, spans: () => received.flatMap(({ body }) => spansIn(body)) };
}

const spansIn = (body: Received['body']): WireSpan[] =>
  body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

const tracer = (endpoint: string, share = 1): Tracer => {
  const { tracing } = servingSettingsSchema.parse({ tracing: { endpoint, share, service: 'shop' } });
  if (!tracing) throw new Error('tracing is set');
  return new Tracer(tracing, {
    randomBytes,
    random: () => 0.5,
    version: '0.1.0',
    resource: { 'service.instance.id': 'pod-1' },
    intervalMs: 60_000,
  });
};

const exchange = (answered: Partial<Answered>, more: Partial<Exchange> = {}): Exchange => ({
  wanted: 1,
  id: 'r1',
  protocol: 'rest',
  traceparent: undefined,
  startedAt: 1_795_339_200_000.25,
  answered: { outcome: 'ok', protocol: 'rest', latencyMs: 10, ...answered },
  inputs: [],
  outcome: { outputs: [], batchRows: 7, queueMs: 2, computeMs: 3, cached: false, run: undefined },
  ...more,
});

const PARTS = { decodeMs: 1, queueMs: 2, computeMs: 3, encodeMs: 0.5, rows: 4 };
const named = (spans: readonly WireSpan[], name: string) => spans.find((span) => span.name === name) as WireSpan;
const attributesOf = ({ attributes }: { attributes: Attribute[] }) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

test('a request becomes a server span with its parts below it, in one trace', async () => {
  const { url, spans, received } = await collector();
  const traces = tracer(url);
  const context = traces.record(MODEL, exchange(PARTS));
  await traces.close();
  const all = spans();
  const root = named(all, 'infer flights');
  expect(root).toMatchObject({ traceId: context.traceId, spanId: context.spanId, kind: 2 });
  expect(root.parentSpanId).toBeUndefined();
  expect(all.map(({ name }) => name)).toEqual(['infer flights', 'decode', 'queue', 'batch', 'encode']);
  for (const span of all) expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  for (const part of all.slice(1))
    expect(part).toMatchObject({ traceId: root.traceId, parentSpanId: root.spanId, kind: 1 });
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(5);
  expect(received[0]).toMatchObject({ path: '/v1/traces', type: 'application/json' });
});

test('the parts lie one after the other, to the microsecond', async () => {
  const { url, spans } = await collector();
  const traces = tracer(url);
  traces.record(MODEL, exchange(PARTS));
  await traces.close();
  const times = spans().map(({ name, startTimeUnixNano, endTimeUnixNano }) => [
    name,
    startTimeUnixNano,
    endTimeUnixNano,
  ]);
  const at = (us: number) => `${1_795_339_200_000_250n + BigInt(us)}000`;
  expect(times).toEqual([
    ['infer flights', at(0), at(10_000)],
    ['decode', at(0), at(1000)],
    ['queue', at(1000), at(3000)],
    ['batch', at(3000), at(6000)],
    ['encode', at(9500), at(10_000)],
  ]);
});

test('model, run and process stand in the attributes', async () => {
  const { url, spans, received } = await collector();
  const traces = tracer(url);
  traces.record(MODEL, exchange(PARTS));
  await traces.close();
  expect(attributesOf(named(spans(), 'infer flights'))).toEqual({
    'slipway.model.name': 'flights',
    'slipway.model.version': '3',
    'slipway.model.digest': MODEL.digest,
    'slipway.protocol': 'rest',
    'slipway.outcome': 'ok',
    'slipway.request.id': 'r1',
    'slipway.rows': '4',
  });
  expect(attributesOf(named(spans(), 'batch'))).toEqual({ 'slipway.batch.rows': '7', 'slipway.cached': false });
  expect(
    attributesOf((received[0] as Received).body.resourceSpans[0]?.resource as { attributes: Attribute[] }),
  ).toEqual({
    'service.name': 'shop',
    'service.version': '0.1.0',
    'service.instance.id': 'pod-1',
  });
});

test('the span of a batch links the requests that shared it, each to the others', async () => {
  const { url, spans } = await collector();
  const traces = tracer(url);
  const outcome = (run: object | undefined) => ({ ...exchange({}).outcome, run });
  const shared = {};
  const traced = [shared, shared, shared, {}, undefined].map((run) =>
    traces.record(MODEL, exchange(PARTS, { outcome: outcome(run) })),
  );
  await traces.close();
  const batches = spans().filter(({ name }) => name === 'batch');
  const refs = traced.map(({ traceId, spanId }) => ({ traceId, spanId }));
  const [a, b, c] = refs;
  expect(batches.map(({ links }) => links)).toEqual([[b, c], [a, c], [a, b], undefined, undefined]);
  expect(spans().filter(({ name, links }) => name !== 'batch' && links !== undefined)).toEqual([]);
});

test('no span links more than collectors keep', async () => {
  const { url, spans } = await collector();
  const traces = tracer(url);
  const outcome = { ...exchange({}).outcome, run: {} };
  for (let i = 0; i < 200; i++) traces.record(MODEL, exchange(PARTS, { outcome }));
  await traces.close();
  const links = spans()
    .filter(({ name }) => name === 'batch')
    .map((span) => span.links?.length);
  expect(links.at(-1)).toBe(128);
  expect(Math.max(...links.map((length) => length ?? 0))).toBe(128);
});

test('a request of a traced caller goes on with its trace, and says so to whom it calls', async () => {
  const { url, spans } = await collector();
  const traces = tracer(url, 0);
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  expect(traces.wants(traceparent, 0.99)).toBe(true);
  const context = traces.record(MODEL, exchange({}, { traceparent }));
  await traces.close();
  expect(spans()).toMatchObject([{ traceId: TRACE, parentSpanId: PARENT }]);
  expect(formatTraceparent(context)).toBe(`00-${TRACE}-${spans()[0]?.spanId}-01`);
});

test.each([
  ['nobody, by chance', undefined, 0.09, true],
  ['nobody, without luck', undefined, 0.11, false],
  ['a caller that records', `00-${TRACE}-${PARENT}-01`, 0.99, true],
  ['a caller that does not', `00-${TRACE}-${PARENT}-00`, 0, false],
  ['a caller whose context is broken, by chance', '00-zz', 0.09, true],
])('whether a request from %s is traced', async (_, traceparent, chance, wanted) => {
  expect(tracer('http://127.0.0.1:1', 0.1).wants(traceparent, chance)).toBe(wanted);
});

test('an error of the server marks the span; one of the caller does not', async () => {
  const { url, spans } = await collector();
  const traces = tracer(url);
  const { inputs: _inputs, outcome: _outcome, ...request } = exchange({ outcome: 'serverError' });
  traces.record(MODEL, { ...request, status: 500, sentence: 'The model failed.' });
  traces.record(MODEL, { ...request, status: 400, sentence: 'There is no input "z".' });
  await traces.close();
  expect(spans().map(({ status }) => status)).toEqual([{ code: 2, message: 'The model failed.' }, undefined]);
  expect(attributesOf(spans()[1] as WireSpan)).toMatchObject({ 'http.response.status_code': '400' });
});

test('a collector that is busy gets the batch again; one that refuses does not', async () => {
  const { url, spans } = await collector(503, 429, 200, 400);
  const traces = tracer(url);
  for (let i = 0; i < 101; i++) traces.record(MODEL, exchange({}));
  await traces.close();
  expect(spans()).toHaveLength(100);
  expect(traces.counts).toEqual({ sent: 100, dropped: 1, waiting: 0 });
});

test('without a collector requests are dropped and counted, and nothing waits for it', async () => {
  const traces = tracer('http://127.0.0.1:1');
  for (let i = 0; i < 5000; i++) traces.record(MODEL, exchange({}));
  expect(traces.counts).toMatchObject({ dropped: 904, waiting: 4096 });
});
