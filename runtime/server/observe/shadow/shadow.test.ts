import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { type ShadowOrder, shadowEvidenceSchema, shadowOrderSchema } from '@slipway/crds/contract';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { afterEach, expect, test, vi } from 'vitest';
import { http } from '../../nodeHttp.ts';
import type { TensorValue } from '../../tensor.ts';
import {
  type CandidateRequest,
  candidateServer,
  hangingServer,
  httpServer,
  refusingUrl,
  rows,
  type TestServer,
} from '../testing/candidate.ts';
import { type Copy, Shadow, type ShadowedModel } from './shadow.ts';
import { MOST_SEGMENTS } from './tally.ts';

const MODEL: ShadowedModel = {
  name: 'flights/eu',
  signature: {
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'month'] },
      { name: 'airline', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [{ name: 'delay', datatype: 'FP32', shape: [-1, 1] }],
  },
  features: [],
  classes: undefined,
};

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function kept<S extends TestServer>(server: Promise<S>): Promise<S> {
  const started = await server;
  closing.push(started.close);
  return started;
}

/** A shadow with a clock of its own, and a way to offer copies and wait for all of them to be let go. */
function shadowed(settings: object = {}) {
  let now = 0;
  const allowed: number[] = [];
  const shadow = new Shadow(MODEL, {
    allow: (copies) => allowed.push(copies),
    settings: servingSettingsSchema.parse({ shadow: settings }).shadow,
    hashKey: new Uint8Array(32),
    now: () => now,
  });
  closing.push(() => shadow.close());
  const held = new Set<Copy>();
  const offer = (copy: Copy): Promise<void> => {
    held.add(copy);
    return new Promise((resolve) => {
      shadow.offer(copy, () => {
        expect(held.delete(copy), 'let go once').toBe(true);
        resolve();
      });
    });
  };
  return { shadow, offer, held, allowed, pass: (ms: number) => (now += ms) };
}

const order = (target: string, more: Partial<ShadowOrder> = {}): ShadowOrder =>
  shadowOrderSchema.parse({ id: 'rollout-7', target, percent: 100, ...more });

/** The live model answers the distance. */
function copyOf(...requests: readonly [distance: number, airline: string][]): Copy {
  return {
    id: 'r1',
    traceparent: undefined,
    inputs: [
      rows(
        'x',
        requests.map(([distance]) => [distance, 1]),
      ),
      {
        name: 'airline',
        datatype: 'BYTES',
        shape: [requests.length],
        elements: requests.map(([, airline]) => airline),
      },
    ],
    outputs: [
      rows(
        'delay',
        requests.map(([distance]) => [distance]),
      ),
    ],
  };
}

/** A candidate that agrees, but for one airline. */
function candidate({ inputs }: CandidateRequest): TensorValue[] {
  const [x, airline] = inputs as [TensorValue, TensorValue];
  const values = (airline.elements as string[]).map((name, i) => [
    (x.elements[2 * i] as number) + (name === 'ZZ' ? 1 : 0),
  ]);
  return [rows('delay', values)];
}

test('a candidate that agrees is counted by rows', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer } = shadowed();
  shadow.follow(order(url));
  await Promise.all([offer(copyOf([500, 'AA'])), offer(copyOf([600, 'AA'], [700, 'BA']))]);
  expect(shadow.evidence).toEqual({ order: 'rollout-7', compared: 3, disagreed: 0, skipped: 0, failed: 0 });
});

test('disagreements are counted by segment, with examples that tell outputs and no inputs', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer } = shadowed({ examples: 1 });
  shadow.follow(order(url, { segment: 'airline' }));
  await offer(copyOf([500, 'AA'], [612, 'ZZ'], [800, 'ZZ']));
  const evidence = shadowEvidenceSchema.parse(shadow.evidence);
  expect(evidence).toMatchObject({ compared: 3, disagreed: 2, failed: 0 });
  expect(evidence.segments).toEqual({ AA: { compared: 1, disagreed: 0 }, ZZ: { compared: 2, disagreed: 2 } });
  const id = expect.stringMatching(/^[0-9a-f]{16}$/);
  expect(evidence.examples).toEqual([{ id, output: 'delay', live: '612', candidate: '613' }]);
});

test('more segments than can be kept are counted together', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer } = shadowed();
  shadow.follow(order(url, { segment: 'airline' }));
  await offer(copyOf(...Array.from({ length: 100 }, (_, i): [number, string] => [i, `airline ${i}`])));
  const segments = shadow.evidence?.segments ?? {};
  expect(Object.keys(segments)).toHaveLength(MOST_SEGMENTS + 1);
  expect(segments['other']).toEqual({ compared: 100 - MOST_SEGMENTS, disagreed: 0 });
});

test('a copy names its order, its trace and the model, and asks for the outputs of the live answer', async () => {
  const asked: CandidateRequest[] = [];
  const { url } = await kept(
    candidateServer((request) => {
      asked.push(request);
      return candidate(request);
    }),
  );
  const { shadow, offer } = shadowed();
  shadow.follow(order(url));
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await offer({ ...copyOf([500, 'AA']), traceparent });
  expect(asked[0]?.path).toBe('/v2/models/flights%2Feu/infer');
  expect(asked[0]?.headers).toMatchObject({ 'slipway-shadow': 'rollout-7', traceparent });
  expect(asked[0]?.inputs.map(({ name, elements }) => [name, [...elements]])).toEqual([
    ['x', [500, 1]],
    ['airline', ['AA']],
  ]);
});

test('a candidate that hangs has failed after the timeout, and holds no more connections than it may', async () => {
  const { url, connections } = await kept(hangingServer());
  const { shadow, offer, held } = shadowed({ timeoutMs: 50, concurrency: 2 });
  shadow.follow(order(url));
  await Promise.all(Array.from({ length: 6 }, () => offer(copyOf([500, 'AA']))));
  expect(held.size).toBe(0);
  expect(shadow.evidence).toMatchObject({ compared: 0, failed: 6 });
  expect(connections()).toBe(6); // one after the other on each of two
});

test('a candidate that nobody can reach has failed, and is left alone for a while', async () => {
  const { shadow, offer, held } = shadowed({ concurrency: 1 });
  shadow.follow(order(await refusingUrl()));
  await offer(copyOf([500, 'AA']));
  expect(shadow.evidence).toMatchObject({ failed: 1, skipped: 0 });
  const waiting = offer(copyOf([500, 'AA']));
  expect(held.size).toBe(1);
  shadow.follow(null);
  await waiting;
  expect(shadow.evidence).toMatchObject({ failed: 1, skipped: 1 });
});

test('a candidate that stays away is left alone for twice as long each time, two seconds at most', async () => {
  const asked = vi.spyOn(http, 'request');
  closing.push(() => asked.mockRestore());
  const { shadow, offer, pass } = shadowed({ concurrency: 1, timeoutMs: 60_000 });
  shadow.follow(order(await refusingUrl()));
  const offered = [offer(copyOf([500, 'AA']))];
  for (const [times, rest] of [250, 500, 1000, 2000, 2000].entries()) {
    await offered.shift();
    pass(rest - 1);
    offered.push(offer(copyOf([500, 'AA'])));
    expect(asked, `before ${rest} ms`).toHaveBeenCalledTimes(times + 1);
    pass(1);
    offered.push(offer(copyOf([500, 'AA'])));
    expect(asked, `after ${rest} ms`).toHaveBeenCalledTimes(times + 2);
  }
});

test('each silence of a candidate halves how many copies may be under way, down to one, and each answer doubles it', async () => {
  let silent = true;
  const { url } = await kept(
    httpServer((request, response) => {
      request.resume();
      if (!silent) response.writeHead(500).end();
    }),
  );
  const { shadow, offer, allowed } = shadowed({ timeoutMs: 50, concurrency: 2, maxQueue: 10 });
  shadow.follow(order(url));
  await Promise.all(Array.from({ length: 5 }, () => offer(copyOf([500, 'AA']))));
  silent = false;
  for (let i = 0; i < 5; i++) await offer(copyOf([500, 'AA']));
  expect(allowed).toEqual([10, 5, 2, 1, 1, 1, 2, 4, 8, 10, 10]);
});

test('nobody there is silence too, and another candidate starts with room for all', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer, allowed } = shadowed({ concurrency: 3, maxQueue: 10 });
  shadow.follow(order(await refusingUrl()));
  await offer(copyOf([500, 'AA']));
  shadow.follow(order(url));
  expect(allowed).toEqual([10, 5, 10]);
});

/** A candidate on a thread of its own, that answers no row once it is told to. */
const ELSEWHERE = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: sent } = require('node:worker_threads');
  const json = JSON.stringify({
    outputs: [{ name: 'delay', datatype: 'FP32', shape: [0, 1], parameters: { binary_data_size: 0 } }],
  });
  const server = createServer((request, response) => {
    response.setHeader('inference-header-content-length', json.length);
    request.resume().on('end', () => parentPort.postMessage('asked'));
    parentPort.once('message', () => response.end(json, () => (Atomics.store(sent, 0, 1), Atomics.notify(sent, 0))));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

test('an answer that came while this thread had no time is compared: the candidate was not late', async () => {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const elsewhere = new Worker(ELSEWHERE, { eval: true, workerData: sent });
  closing.push(() => elsewhere.terminate());
  const [port] = await once(elsewhere, 'message');
  const { shadow, offer } = shadowed({ timeoutMs: 500 });
  shadow.follow(order(`http://127.0.0.1:${port}`));
  const offeredAt = performance.now();
  const compared = offer({ ...copyOf([1, 'AA']), outputs: [{ ...rows('delay', []), shape: [0, 1] }] });
  await once(elsewhere, 'message');
  elsewhere.postMessage('answer');
  Atomics.wait(sent, 0, 0);
  while (performance.now() < offeredAt + 600);
  await compared;
  expect(shadow.evidence).toMatchObject({ failed: 0 });
});

const badAnswers: [string, Parameters<typeof httpServer>[0]][] = [
  ['answers 500', (_, response) => response.writeHead(500).end('{"error":"no"}')],
  ['answers JSON', (_, response) => response.end('{"outputs":[]}')],
  ['answers nonsense', (_, response) => response.setHeader('inference-header-content-length', 3).end('{]}')],
  [
    'claims more than it sends',
    (_, response) => answerWith(response, { shape: [1, 1], parameters: { binary_data_size: 4 } }),
  ],
  [
    'claims a shape that nobody can hold',
    (_, response) => answerWith(response, { shape: [2 ** 40], parameters: { binary_data_size: 2 ** 42 } }),
  ],
  [
    'never ends its answer',
    (_, response) => void response.setHeader('inference-header-content-length', 9).write('x'.repeat(70_000_000)),
  ],
  ['closes in the middle', (_, response) => response.write('{', () => response.destroy())],
];

function answerWith(response: ServerResponse, output: object) {
  const json = JSON.stringify({ outputs: [{ name: 'delay', datatype: 'FP32', ...output }] });
  response.setHeader('inference-header-content-length', json.length).end(json);
}

test.each(badAnswers)('a candidate that %s has failed on each row', async (_, listener) => {
  const { url } = await kept(
    httpServer((request, response) => {
      request.resume();
      listener(request, response);
    }),
  );
  const { shadow, offer } = shadowed();
  shadow.follow(order(url));
  await offer(copyOf([500, 'AA'], [600, 'AA']));
  expect(shadow.evidence).toEqual({ order: 'rollout-7', compared: 0, disagreed: 0, skipped: 0, failed: 2 });
});

test('a candidate that answers another shape has failed', async () => {
  const { url } = await kept(candidateServer(() => [rows('delay', [[1, 2]])]));
  const { shadow, offer } = shadowed();
  shadow.follow(order(url));
  await offer(copyOf([500, 'AA']));
  expect(shadow.evidence).toMatchObject({ compared: 0, failed: 1 });
});

test('a slow candidate is compared all the same, and what waits too long is skipped', async () => {
  const answers: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  const { url } = await kept(
    httpServer((request, response) => {
      request.resume();
      answers.push(() => answerWith(response, { shape: [0, 1], parameters: { binary_data_size: 0 } }));
      arrived.resolve();
    }),
  );
  const { shadow, offer, pass } = shadowed({ concurrency: 1, timeoutMs: 4000 });
  shadow.follow(order(url));
  const empty: Copy = { ...copyOf([1, 'AA']), outputs: [{ ...rows('delay', []), shape: [0, 1] }] };
  const [first, second] = [offer(empty), offer({ ...empty })];
  await arrived.promise;
  pass(4000);
  answers[0]?.();
  await Promise.all([first, second]);
  expect(shadow.evidence).toMatchObject({ compared: 1, skipped: 1, failed: 0 });
});

test('an order that is repeated goes on counting; another one starts at zero', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer, pass } = shadowed();
  shadow.follow(order(url, { expiresInSeconds: 15 }));
  await offer(copyOf([1, 'AA']));
  pass(14_000);
  shadow.follow(order(url, { expiresInSeconds: 15 }));
  pass(14_000);
  await offer(copyOf([1, 'AA']));
  expect(shadow.evidence).toMatchObject({ order: 'rollout-7', compared: 2 });
  shadow.follow(order(url, { id: 'rollout-8' }));
  expect(shadow.evidence).toMatchObject({ order: 'rollout-8', compared: 0 });
});

test('the same order to another pod of the candidate goes on counting', async () => {
  const [first, second] = [await kept(candidateServer(candidate)), await kept(candidateServer(candidate))];
  const { shadow, offer } = shadowed();
  for (const { url } of [first, second]) {
    shadow.follow(order(url));
    await offer(copyOf([1, 'AA']));
  }
  expect(shadow.evidence).toMatchObject({ compared: 2, failed: 0 });
});

test('an order that has run out copies nothing more, and its counts stay readable', async () => {
  const { url } = await kept(candidateServer(candidate));
  const { shadow, offer, pass } = shadowed();
  shadow.follow(order(url, { expiresInSeconds: 15 }));
  await offer(copyOf([1, 'AA']));
  pass(15_000);
  await offer(copyOf([1, 'AA']));
  expect(shadow.evidence).toMatchObject({ compared: 1, skipped: 1, failed: 0 });
});

test('what is under way when the order ends is no failure of the candidate', async () => {
  const { url } = await kept(hangingServer());
  const { shadow, offer } = shadowed({ concurrency: 1 });
  shadow.follow(order(url));
  const both = [offer(copyOf([1, 'AA'])), offer(copyOf([1, 'AA']))];
  shadow.follow(null);
  await Promise.all(both);
  expect(shadow.evidence).toMatchObject({ compared: 0, failed: 0, skipped: 2 });
});

test('without any order nothing is counted and nothing held', async () => {
  const { shadow, offer } = shadowed();
  await offer(copyOf([1, 'AA']));
  expect(shadow.evidence).toBeUndefined();
});

test('a kept connection that turns out to be closed is no failure', async () => {
  const used = new WeakSet<Socket>();
  const { url } = await kept(
    httpServer(async (request, response) => {
      if (used.has(request.socket)) return void request.socket.destroy();
      used.add(request.socket);
      for await (const _ of request);
      const json = '{"outputs":[{"name":"delay","datatype":"FP32","shape":[1,1],"parameters":{"binary_data_size":4}}]}';
      response.setHeader('inference-header-content-length', json.length);
      response.end(Buffer.concat([Buffer.from(json), Buffer.from(Float32Array.of(1).buffer)]));
    }),
  );
  const { shadow, offer } = shadowed({ concurrency: 1 });
  shadow.follow(order(url));
  for (let i = 0; i < 4; i++) await offer(copyOf([1, 'AA']));
  expect(shadow.evidence).toMatchObject({ compared: 4, failed: 0 });
});
