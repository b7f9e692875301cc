import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EVIDENCE_MAX_BYTES, EVIDENCE_SCHEMA } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FetchText, fetchTextWithin } from './fetchText.ts';
import { PodEvidence } from './pods.ts';
import type { EvidenceQuestion } from './source.ts';

const NOW = new Date('2030-01-01T12:00:00Z');
const document = (ok: number) =>
  JSON.stringify({
    schema: EVIDENCE_SCHEMA,
    epoch: 'e',
    startedAt: NOW.toISOString(),
    at: NOW.toISOString(),
    model: { name: 'flights', version: '1.1.0', digest: 'sha256:1' },
    ready: true,
    draining: false,
    inFlight: 0,
    requests: { ok, clientError: 0, serverError: 0, shed: 0 },
    batches: { seconds: 0, failedSquaredOverServed: 0 },
    latency: { boundsMs: [], counts: [0], sumMs: 0 },
  });
const question = (...ips: string[]): EvidenceQuestion => ({
  service: { namespace: 'ml', name: 'flights' },
  model: 'flights',
  rolloutID: 'r',
  startedAt: NOW,
  step: '5',
  stepStartedAt: NOW,
  candidate: 'v1',
  stable: 'v0',
  token: 'secret',
  pods: ips.map((ip, i) => ({ uid: `${i}`, name: `pod-${i}`, ip, revision: 'v1' })),
  thresholdsMs: [],
  predictions: false,
  poll: () => undefined,
});
const signal = new AbortController().signal;
const reading = (fetchText: FetchText) => new PodEvidence({ fetchText, now: () => NOW });

describe('evidence from pods', () => {
  test('is asked of the admin port of each with the token, IPv6 too', async () => {
    const asked: string[] = [];
    await reading(async (url, token) => {
      asked.push(`${url} ${token}`);
      return undefined;
    }).read(question('10.0.0.1', 'fd00::1'), signal);
    expect(asked).toEqual([
      'http://10.0.0.1:9090/slipway/v1/evidence secret',
      'http://[fd00::1]:9090/slipway/v1/evidence secret',
    ]);
  });

  test('is added up over the pods of a revision, and pods without an answer are left out', async () => {
    const answers: Record<string, string | undefined> = {
      a: document(10),
      b: document(5),
      c: undefined,
      d: '{"schema":1}',
      e: 'no',
    };
    const source = reading(async (url) => answers[new URL(url).hostname]);
    const { v1 } = await source.read(question('a', 'b', 'c', 'd', 'e'), signal);
    expect(v1).toMatchObject({ answering: 2, sinceRollout: { ok: 15 } });
  });

  test('is asked of sixteen pods at a time', async () => {
    let [now, most] = [0, 0];
    await reading(async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return undefined;
    }).read(question(...Array.from({ length: 50 }, (_, i) => `10.0.0.${i}`)), signal);
    expect(most).toBe(16);
  });

  test('waits no longer for a hundred pods that hang than for one, and asks those that answer first', async () => {
    const answers = new Set(['10.1.0.99', '10.1.0.50']);
    const asked: string[] = [];
    const fetchText: FetchText = (url, _token, within) => {
      const { hostname } = new URL(url);
      asked.push(hostname);
      if (answers.has(hostname)) return Promise.resolve(document(10));
      return new Promise((resolve) => within.addEventListener('abort', () => resolve(undefined)));
    };
    const source = new PodEvidence({ fetchText, now: () => NOW, passMs: 20 });
    const all = question(...Array.from({ length: 100 }, (_, i) => `10.1.0.${i}`));
    for (let i = 0; i < 8; i++) await source.read(all, signal);
    expect(new Set(asked).size).toBe(100);
    asked.length = 0;
    const { v1 } = await source.read(all, signal);
    expect(asked.slice(0, 2).sort()).toEqual([...answers].sort());
    expect(asked).toHaveLength(18);
    expect(v1?.answering).toBe(2);
  });

  test('starts anew for another rollout, and when the service is forgotten', async () => {
    let served = 10;
    const source = reading(async () => document(served));
    await source.read(question('a'), signal);
    served = 30;
    const { v1 } = await source.read({ ...question('a'), step: '25' }, signal);
    expect(v1?.sinceStep.ok).toBe(0);
    source.forget({ namespace: 'ml', name: 'flights' });
    expect((await source.read(question('a'), signal))['v1']?.sinceRollout.ok).toBe(30);
  });
});

describe('fetching over HTTP', () => {
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.headers.authorization !== 'Bearer secret') response.writeHead(401).end();
      else if (request.url === '/ok') response.end('text');
      else if (request.url === '/large') response.end('x'.repeat(EVIDENCE_MAX_BYTES + 1));
      else if (request.url === '/elsewhere') response.writeHead(302, { location: '/ok' }).end();
      // Anything else hangs, as a stuck pod does.
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['a text with the right token', '/ok', 'secret', 'text'],
    ['nothing with a wrong one', '/ok', 'guess', undefined],
    ['nothing larger than evidence can be', '/large', 'secret', undefined],
    ['nothing from where a redirect points', '/elsewhere', 'secret', undefined],
    ['nothing from one that hangs', '/hang', 'secret', undefined],
  ])('gives %s', async (_what, path, token, want) => {
    expect(await fetchTextWithin(200)(`${base}${path}`, token, signal)).toBe(want);
  });

  test('gives nothing where nobody listens', async () => {
    expect(await fetchTextWithin(200)('http://127.0.0.1:1/', 'secret', signal)).toBeUndefined();
  });
});
