import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  BASELINE_SCHEMA,
  type Baseline,
  EVIDENCE_SCHEMA,
  type Evidence,
  type PeersOrder,
  type SessionOrder,
  type ShadowOrder,
} from '@slipway/crds/contract';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RequestError } from '../requestError.ts';
import { type AdminDependencies, createAdminServer } from './admin.ts';
import { exchange } from './testing/socket.ts';

const evidence = { schema: EVIDENCE_SCHEMA, epoch: 'e' } as Evidence;
const baseline: Baseline = {
  schema: BASELINE_SCHEMA,
  features: Array.from({ length: 300 }, (_, i) => ({
    name: `feature ${i}`,
    tensor: 'x',
    index: i,
    kind: 'categorical',
    count: 3,
    categories: [{ value: i, count: 2 }],
    other: 1,
  })),
  predictions: [],
};
const order = { id: 'o', target: 'http://10.0.0.1:8080', percent: 100 };
const session = {
  id: 's',
  header: 'x-user-id',
  salt: 'r1',
  share: 1000,
  arm: 'stable',
  other: 'http://10.0.0.2:8080',
} as const;

async function serving(setup: Partial<AdminDependencies> = {}) {
  const orders: (ShadowOrder | null)[] = [];
  const sessions: (SessionOrder | null)[] = [];
  const peers: (PeersOrder | null)[] = [];
  const failures: unknown[] = [];
  const server = createAdminServer({
    ready: () => true,
    metrics: async () => ({ text: 'up 1\n', contentType: 'text/plain; version=0.0.4' }),
    evidence: () => evidence,
    orderShadow: (given) => orders.push(given),
    orderSession: (given) => sessions.push(given),
    orderPeers: (given) => peers.push(given),
    baseline: () => baseline,
    granted: async (authorization) => authorization === 'Bearer token',
    onFailure: (_sentence, cause) => failures.push(cause),
    ...setup,
  }).listen(0);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  const raw = async (path: string, headers: Readonly<Record<string, string>>) => {
    const [response] = await once(get({ port, path, headers }), 'response');
    return { headers: response.headers, body: Buffer.concat(await response.toArray()) };
  };
  const poll = (body: unknown, authorization = 'Bearer token') =>
    ask('/slipway/v1/evidence', {
      method: 'POST',
      headers: { authorization },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { port, ask, raw, poll, orders, sessions, peers, failures };
}

test('says that it lives, and whether it is ready', async () => {
  expect(await (await serving()).ask('/livez')).toMatchObject({ status: 200, text: 'ok' });
  expect(await (await serving()).ask('/readyz')).toMatchObject({ status: 200, text: 'ok' });
  expect(await (await serving({ ready: () => false })).ask('/readyz')).toMatchObject({
    status: 503,
    text: 'not ready',
  });
});

test('gives metrics as text', async () => {
  const { ask } = await serving();
  expect(await ask('/metrics')).toEqual({ status: 200, type: 'text/plain; version=0.0.4', text: 'up 1\n' });
});

describe('evidence', () => {
  test('is read by whoever has the token', async () => {
    const { ask } = await serving();
    const answer = await ask('/slipway/v1/evidence', { headers: { authorization: 'Bearer token' } });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, evidence]);
  });

  test.each(['GET', 'POST'])('by %s is closed to everybody else', async (method) => {
    const { ask, orders } = await serving();
    const answer = await ask('/slipway/v1/evidence', { method });
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([401, expect.stringMatching(/admin token/)]);
    expect(orders).toEqual([]);
  });

  test.each(['/slipway/v1/evidence', '/slipway/v1/baseline'])(
    "%s is nobody's where there is no token",
    async (path) => {
      const { ask } = await serving({ granted: undefined });
      const answer = await ask(path, { headers: { authorization: 'Bearer undefined' } });
      expect([answer.status, JSON.parse(answer.text).error]).toEqual([
        401,
        expect.stringMatching(/ADMIN_TOKEN_FILE\.$/),
      ]);
    },
  );

  test('comes back from a poll that was packed, too', async () => {
    const { ask, orders } = await serving();
    const body = gzipSync(JSON.stringify({ shadow: null }));
    const headers = { authorization: 'Bearer token', 'content-encoding': 'gzip' };
    expect(await ask('/slipway/v1/evidence', { method: 'POST', headers, body })).toMatchObject({ status: 200 });
    expect(orders).toEqual([null]);
  });

  test('comes back from a poll, which says what to shadow', async () => {
    const { poll, orders } = await serving();
    expect((await poll({ shadow: order })).status).toBe(200);
    expect((await poll({ shadow: null })).status).toBe(200);
    expect(orders).toEqual([expect.objectContaining({ ...order, expiresInSeconds: 15 }), null]);
  });

  test('says whose requests to pass on, and leaves that as it is where it says nothing', async () => {
    const { poll, sessions } = await serving();
    for (const body of [{ session }, { shadow: null }, {}, { session: null }])
      expect((await poll(body)).status).toBe(200);
    expect(sessions).toEqual([{ ...session, expiresInSeconds: 5 }, null]);
  });

  test('says who the peers are', async () => {
    const { poll, peers } = await serving();
    const urls = ['http://10.0.0.2:8080'];
    for (const body of [{ peers: { urls } }, {}, { peers: null }]) expect((await poll(body)).status).toBe(200);
    expect(peers).toEqual([{ urls, expiresInSeconds: 60 }, null]);
  });

  test.each([
    ['no JSON', 'x', 400, /^The body is not JSON; send \{"shadow": order or null, "session": .*\}\.$/],
    ['nothing', '', 400, /^The body is not JSON/],
    ['no order', { shadow: 1 }, 400, /^Send \{"shadow": .*\}: "shadow" is wrong/],
    ['an order without a target', { shadow: { ...order, target: undefined } }, 400, /"shadow.target" is wrong/],
    ['a share over 100', { shadow: { ...order, percent: 101 } }, 400, /"shadow.percent" is wrong/],
    [
      'another version that speaks TLS',
      { session: { ...session, other: 'https://10.0.0.2:8443' } },
      400,
      /"session.other" is wrong \(must be http:/,
    ],
    ['a field that nobody knows', { shadow: null, more: 1 }, 400, /more/],
    ['a body of 100 kB', 'x'.repeat(100_000), 413, /at most/],
  ])('polled with %s changes nothing', async (_what, body, status, sentence) => {
    const { poll, orders, failures } = await serving();
    const answer = await poll(body);
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([status, expect.stringMatching(sentence)]);
    expect([orders, failures]).toEqual([[], []]);
  });
});

test("a poll whose end is anybody's guess is refused with its connection", async () => {
  const { port, orders } = await serving();
  const head = 'POST /slipway/v1/evidence HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer token\r\n';
  const body = '\r\nf\r\n{"shadow":null}\r\n0\r\n\r\n';
  const refused = await exchange(port, Buffer.from(`${head}Transfer-Encoding: x, chunked\r\n${body}`));
  expect([refused.status, refused.headers['connection'], orders]).toEqual([501, 'close', []]);
  const taken = await exchange(port, Buffer.from(`${head}Transfer-Encoding: Chunked\r\n${body}`));
  expect([taken.status, orders]).toEqual([200, [null]]);
});

describe('the baseline', () => {
  const headers = { authorization: 'Bearer token' };

  test('is given to whoever has the token, packed for whoever can unpack', async () => {
    const { ask, raw } = await serving();
    const answer = await ask('/slipway/v1/baseline', { headers });
    expect([answer.status, answer.type, JSON.parse(answer.text)]).toEqual([200, 'application/json', baseline]);
    const packed = await raw('/slipway/v1/baseline', { ...headers, 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(packed.body).toString())).toEqual(baseline);
    const plain = await raw('/slipway/v1/baseline', headers);
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.body.length).toBeGreaterThan(4 * packed.body.length);
  });

  test('is closed to everybody else, and only read', async () => {
    const { ask } = await serving();
    expect((await ask('/slipway/v1/baseline')).status).toBe(401);
    expect((await ask('/slipway/v1/baseline', { method: 'POST', headers })).status).toBe(405);
  });

  test('that is not there is said in the words of whoever knows why', async () => {
    const none = () => {
      throw new RequestError(404, 'Model "flights" has no baseline.json.');
    };
    const { ask, failures } = await serving({ baseline: none });
    const answer = await ask('/slipway/v1/baseline', { headers });
    expect([answer.status, JSON.parse(answer.text), failures]).toEqual([
      404,
      { error: 'Model "flights" has no baseline.json.' },
      [],
    ]);
  });
});

test('has nothing else, and takes no other method', async () => {
  const { ask } = await serving();
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/livez', { method: 'POST' })).status).toBe(405);
});

test('a bug of ours is a 500, and the log has its stack', async () => {
  const bug = new TypeError('x is not a function');
  const metrics = () => Promise.reject(bug);
  const { ask, failures } = await serving({ metrics });
  expect(await ask('/metrics')).toMatchObject({ status: 500, text: '{"error":"The server failed on this request."}' });
  expect(failures).toEqual([bug]);
});
