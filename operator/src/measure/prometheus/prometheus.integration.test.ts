import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Guard } from '@slipway/crds';
import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { evidenceDocument } from '../../../test/evidenceDocument.ts';
import { type RealPrometheus, startPrometheus } from '../../../test/realPrometheus.ts';
import { evidenceSourceContract, type SourceUnderTest } from '../contract.suite.ts';
import { PrometheusFindings } from '../external/prometheusFindings.ts';
import { instantQueryWithin } from './instantQuery.ts';
import { PrometheusEvidence } from './prometheusEvidence.ts';
import { rangeQueryWithin } from './rangeQuery.ts';
import { recordedTraffic } from './recordedTraffic.ts';
import { exposed } from './testing/exposition.ts';

const SERVED = 'flights-0123456789-7d9c-x2k4q';
const PODS = ['c', 'cc', 'sss', SERVED];
const WITHIN = { timeout: 20_000, interval: 100 };
const told = new Map<string, ReturnType<typeof evidenceDocument> | undefined>();
let counters = '';
let pods: Server;
let prometheus: RealPrometheus;

beforeAll(async () => {
  pods = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    if (name === 'counters') return void response.end(counters);
    const document = told.get(name);
    if (document === undefined) response.writeHead(503).end();
    else response.end(exposed(document));
  });
  await new Promise<void>((resolve) => pods.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(pods.address() as AddressInfo).port}`;
  const target = (name: string) => ({ host, path: `/${name}`, labels: { namespace: 'ml', pod: name } });
  prometheus = await startPrometheus([...PODS, 'counters'].map(target));
});
afterAll(async () => {
  await prometheus.stop();
  pods.closeAllConnections();
  pods.close();
});

evidenceSourceContract('a real Prometheus', async (): Promise<SourceUnderTest> => {
  told.clear();
  const query = instantQueryWithin(2000);
  // What the test before told is gone once a scrape has failed.
  await vi.waitFor(async () => {
    const left = await query(prometheus.url, '{__name__="slipway_model_info"}', new AbortController().signal);
    expect(left).toEqual({ kind: 'Vector', samples: [] });
  }, WITHIN);
  let passed = 0;
  const now = () => new Date(Date.now() + passed);
  return {
    source: new PrometheusEvidence({ query, server: prometheus.url, now }),
    tells: ({ name }, document) => void told.set(name, document),
    pass: async (ms) => {
      passed += ms;
    },
    now,
    end: async () => undefined,
  };
});

describe('traffic that a real Prometheus recorded', () => {
  const patient = { timeout: 15_000, interval: 500 };
  const read = (more: object = {}) => {
    const end = Math.floor(Date.now() / 1000);
    const question = { server: prometheus.url, namespace: 'ml', service: 'flights', model: 'flights' };
    const range = { start: end - 10, end, step: 1 };
    const terms = { ...question, thresholds: [60, 1000], range, ...more };
    return recordedTraffic(terms, rangeQueryWithin(2000), new AbortController().signal);
  };

  test('is read as counts of each second, of these pods alone', async () => {
    let seconds = 0;
    const grow = () => {
      seconds += 1;
      const latency = LATENCY_BOUNDS_MS.map((bound) => (bound === 60 ? 90 * seconds : bound === 75 ? 10 * seconds : 0));
      const counted = evidenceDocument({
        model: { name: 'flights', version: '1.1.0', digest: '' },
        requests: { ok: 95 * seconds, clientError: 0, serverError: 5 * seconds, shed: 0 },
        latency: { boundsMs: [...LATENCY_BOUNDS_MS], counts: [...latency, 0], sumMs: 0 },
      });
      for (const pod of [SERVED, 'c']) told.set(pod, counted);
    };
    const growing = setInterval(grow, 1000);
    try {
      await vi.waitFor(async () => {
        const { stable, candidate } = await read();
        expect(candidate).toEqual([]);
        const full = stable.filter(({ total }) => total > 0);
        expect(full.length).toBeGreaterThan(2);
        for (const { total, bad, slower } of full.slice(1)) {
          expect(bad / total).toBeCloseTo(0.05, 9);
          expect(slower).toEqual({ 60: total / 10, 1000: 0 });
          expect(total % 100).toBe(0);
        }
      }, patient);
      expect((await read({ candidate: '1.1.0' })).stable).toEqual([]);
    } finally {
      clearInterval(growing);
      told.clear();
    }
  });

  test.each([
    ['a service that nobody asked', { service: 'nobody' }, 'knows no requests of infs/nobody'],
    ['a server that is down', { server: 'http://127.0.0.1:1' }, 'http://127.0.0.1:1 can not be asked: ECONNREFUSED'],
    ['a query that Prometheus refuses', { model: '"' }, 'parse error'],
  ])('%s is said', async (_what, more, why) => {
    await expect(read(more)).rejects.toThrow(why);
  });
});

describe('the queries of a guard, asked of a real Prometheus', () => {
  type Asked = Partial<NonNullable<Guard['prometheus']>>;
  const findingOf = (asked: Asked, expectation: (found: unknown) => void) => {
    const guard: Guard = { name: 'own', prometheus: { failures: 1, interval: '1s', ...asked } };
    let passed = 0;
    const findings = new PrometheusFindings({
      query: instantQueryWithin(2000),
      defaultServer: prometheus.url,
      now: () => new Date(Date.now() + passed),
      changed: () => undefined,
    });
    const variables = { namespace: 'ml', service: 'flights', revision: 'new', stable: 'old', version: '1.1.0' };
    const since = new Date(Date.now() - 10_000);
    return vi.waitFor(() => {
      passed += 1000;
      expectation(
        findings.read({ service: { namespace: 'ml', name: 'f' }, step: 's', since, guards: [guard], variables })['own'],
      );
    }, WITHIN);
  };

  test('a plain number and counts of the step are read', async () => {
    let lost = 0;
    const grow = setInterval(() => {
      lost += 3;
      counters = `lost_total{version="1.1.0"} ${lost}\nall_total{version="1.1.0"} ${lost * 10}\ndelay 0.25\n`;
    }, 50);
    try {
      await findingOf({ value: 'delay', max: '0.5' }, (found) =>
        expect(found).toMatchObject({ kind: 'Value', value: 0.25, badInARow: 0 }),
      );
      const increase = (name: string) => `sum(increase(${name}{version="$version"}[$window]))`;
      await findingOf({ bad: increase('lost_total'), total: increase('all_total'), max: '5%' }, (found) => {
        expect(found).toMatchObject({ kind: 'Rates' });
        const { bad, total, batches } = found as { bad: number; total: number; batches: { count: number } };
        expect(total).toBeGreaterThan(50);
        expect(bad / total).toBeCloseTo(0.1, 1);
        expect(batches.count).toBeGreaterThan(2);
      });
    } finally {
      clearInterval(grow);
    }
  });

  test.each<[string, Asked, object]>([
    [
      'a query that does not parse is quoted as Prometheus says it',
      { value: 'sum(up', max: '1' },
      { kind: 'Invalid', message: expect.stringMatching(/^Prometheus refuses the query value: .*parse error/) },
    ],
    [
      'two series are told to be summed',
      { value: 'up{pod=~"c|cc"}', max: '1' },
      { kind: 'Invalid', message: expect.stringContaining('gives 2 series, and a guard needs one number') },
    ],
    ['no series is no data', { value: 'nobody_counts_this', max: '1' }, { kind: 'Unreachable' }],
    [
      '0/0 is no data',
      { value: 'vector(0)/vector(0)', max: '1' },
      { kind: 'Unreachable', message: expect.stringContaining('NaN') },
    ],
    ['a scalar is a number too', { value: 'scalar(vector(3))', max: '1' }, { kind: 'Value', value: 3 }],
    ['a range is no number', { value: 'up[5m]', max: '1' }, { kind: 'Invalid' }],
    [
      'a server that is down may come back',
      { value: 'up', max: '1', server: 'http://127.0.0.1:1' },
      { kind: 'Unreachable' },
    ],
  ])('%s', async (_what, asked, finding) => {
    await findingOf(asked, (found) => expect(found).toMatchObject(finding));
  });
});
