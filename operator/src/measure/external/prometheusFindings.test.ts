import type { Guard } from '@slipway/crds';
import { beforeEach, describe, expect, test } from 'vitest';
import { type QueryAnswer, readAnswer } from '../prometheus/answer.ts';
import { type FindingsQuestion, PrometheusFindings } from './prometheusFindings.ts';
import { fillIn, windowText } from './template.ts';

const SERVICE = { namespace: 'ml', name: 'flights' };
const variables = {
  namespace: 'ml',
  service: 'flights',
  revision: 'abc',
  stable: 'def',
  version: '1.1.0',
};
const sample = (value: number): QueryAnswer => ({ kind: 'Vector', samples: [{ labels: {}, value }] });
const NOTHING: QueryAnswer = { kind: 'Vector', samples: [] };

type Prometheus = NonNullable<Guard['prometheus']>;
const guardOf = (prometheus: Partial<Prometheus>, name = 'revenue'): Guard => ({
  name,
  prometheus: { failures: 3, interval: '15s', ...prometheus },
});
const rates = guardOf({ bad: 'bad_total', total: 'all_total', max: '3%' });
const value = guardOf({ value: 'latency', max: '0.5' });

let now = 0;
let asked: string[] = [];
let changes = 0;
/** What Prometheus says to a query, in turn; the last is said from then on. */
let script: Record<string, QueryAnswer[]> = {};
let hanging: ((answer: QueryAnswer) => void)[] = [];

const source = (defaultServer: string | undefined = 'http://p:9090') =>
  new PrometheusFindings({
    query: async (server, query, signal) => {
      asked.push(`${server} ${query}`);
      const answers = script[query] ?? [];
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer !== undefined) return answer;
      return new Promise((resolve) => {
        hanging.push(resolve);
        signal.addEventListener('abort', () => resolve({ kind: 'Unreachable', message: 'over' }));
      });
    },
    defaultServer,
    now: () => new Date(now),
    changed: () => {
      changes += 1;
    },
  });
const question = (guards: readonly Guard[], step = 'r/Shifting/0'): FindingsQuestion => ({
  service: SERVICE,
  step,
  since: new Date(1_000_000),
  guards,
  variables,
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Looks at a guard so often, an interval apart, and gives the finding after each. */
async function looks(of: PrometheusFindings, guard: Guard, count: number, step?: string) {
  const found = [];
  for (let i = 0; i < count; i++) {
    now += 15_000;
    of.read(question([guard], step));
    await turn();
    found.push(of.read(question([guard], step))[guard.name]);
  }
  return found;
}

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  changes = 0;
  script = {};
  hanging = [];
});

describe('queries', () => {
  test('get their variables filled in, and no other word', () => {
    const query =
      'sum(increase(bad{ns="$namespace",svc="$service",rev=~"$revision|$stable",v="$version",x="$versions"}[$window]))';
    expect(fillIn(query, { ...variables, window: '90s' })).toBe(
      'sum(increase(bad{ns="ml",svc="flights",rev=~"abc|def",v="1.1.0",x="$versions"}[90s]))',
    );
    expect([0, 900, 1000, 90_500].map(windowText)).toEqual(['1s', '1s', '1s', '90s']);
  });

  test('ask about all of the step, the bake after it included', async () => {
    script = {};
    const of = source();
    const windowed = guardOf({ value: 'x[$window]', max: '1' });
    now += 100_000;
    of.read(question([windowed]));
    of.forget(SERVICE);
    of.read({ ...question([windowed]), since: new Date(now - 5000) });
    of.read({ ...question([{ ...windowed, name: 'late' }]), since: new Date(now) });
    expect(asked.map((text) => text.split(' ')[1])).toEqual(['x[100s]', 'x[5s]', 'x[5s]']);
  });

  test('go to the server of the guard, else to that of the operator, once in an interval', async () => {
    script = { latency: [sample(1)] };
    const of = source();
    const own = guardOf({ value: 'latency', max: '1', server: 'http://own:1' }, 'own');
    for (const ms of [0, 1000, 14_000, 15_000]) {
      now = 1_000_000 + ms;
      of.read(question([own, value]));
      await turn();
    }
    expect(asked.filter((a) => a === 'http://own:1 latency')).toHaveLength(2);
    expect(asked.filter((a) => a === 'http://p:9090 latency')).toHaveLength(2);
    expect(changes).toBe(4);
  });

  test('are asked on with a clock that was set back', async () => {
    script = { bad_total: [sample(1)], all_total: [sample(10)] };
    const found = source();
    await looks(found, rates, 1);
    now -= 3_600_000;
    found.read(question([rates]));
    expect(asked).toHaveLength(4);
  });

  test('without any server are Invalid and say where to name it', () => {
    const of = new PrometheusFindings({
      query: async () => NOTHING,
      defaultServer: undefined,
      now: () => new Date(0),
      changed: () => undefined,
    });
    expect(of.read(question([value]))['revenue']).toMatchObject({
      kind: 'Invalid',
      message: expect.stringContaining('SLIPWAY_PROMETHEUS_URL'),
    });
  });

  test('that hang delay no other guard, and are not asked again meanwhile', async () => {
    script = { latency: [sample(0.1)] };
    const of = source();
    const slow = guardOf({ value: 'slow', max: '1' }, 'slow');
    of.read(question([slow, value]));
    await turn();
    now += 60_000;
    expect(of.read(question([slow, value]))).toMatchObject({ revenue: { kind: 'Value' } });
    expect(of.read(question([slow, value]))['slow']).toBeUndefined();
    expect(asked.filter((a) => a.endsWith('slow'))).toHaveLength(1);
  });
});

describe('an answer', () => {
  test.each<[string, QueryAnswer, object]>([
    ['with no series is no data yet', NOTHING, { kind: 'Unreachable', message: 'the query value gives no data yet' }],
    ['of NaN is no data', sample(Number.NaN), { kind: 'Unreachable', message: expect.stringContaining('NaN') }],
    ['of infinity is no data', sample(Number.POSITIVE_INFINITY), { kind: 'Unreachable' }],
    [
      'of two series never makes a number',
      { kind: 'Vector', samples: [1, 2].map((n) => ({ labels: { pod: `${n}` }, value: n })) },
      {
        kind: 'Invalid',
        message: 'the query value gives 2 series, and a guard needs one number: put sum(…) around it',
      },
    ],
    [
      'that does not parse quotes Prometheus',
      { kind: 'Refused', message: '1:5: parse error: unclosed left parenthesis' },
      { kind: 'Invalid', message: expect.stringContaining('unclosed left parenthesis') },
    ],
    [
      'of a server that is down may come yet',
      { kind: 'Unreachable', message: 'http://p:9090 can not be asked: ECONNREFUSED' },
      { kind: 'Unreachable', message: expect.stringContaining('ECONNREFUSED') },
    ],
  ])('%s', async (_what, answer, finding) => {
    script = { latency: [answer] };
    expect(await looks(source(), value, 1)).toEqual([expect.objectContaining(finding)]);
  });
});

describe('a plain number', () => {
  const streaks = (found: unknown[]) =>
    (found as { badInARow?: number; goodInARow?: number }[]).map(({ badInARow, goodInARow }) => [
      badInARow,
      goodInARow,
    ]);

  test('fails by looks in a row: one within the limit begins anew', async () => {
    script = { latency: [0.6, 0.7, 0.4, 0.9].map(sample) };
    expect(streaks(await looks(source(), value, 4))).toEqual([
      [1, 0],
      [2, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  test('argo-rollouts#2866: looks without an answer count neither for nor against', async () => {
    script = { latency: [sample(0.6), NOTHING, sample(0.7)] };
    expect(streaks(await looks(source(), value, 3))).toEqual([
      [1, 0],
      [undefined, undefined],
      [2, 0],
    ]);
  });

  test('is held against both ends, percentages too', async () => {
    script = { latency: [0.02, 0.2, 0.4].map(sample) };
    const band = guardOf({ value: 'latency', min: '0.1', max: '30%' });
    expect(streaks(await looks(source(), band, 3))).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  test('argo-rollouts#926: is counted by rollout and step, and by the words of the guard', async () => {
    script = { latency: [sample(0.6)], other: [sample(0.6)] };
    const of = source();
    await looks(of, value, 3);
    expect(of.read(question([value]))['revenue']).toMatchObject({ badInARow: 3 });
    expect(streaks(await looks(of, value, 1, 'r/Shifting/1'))).toEqual([[1, 0]]);
    await looks(of, value, 2, 'r/Shifting/1');
    expect(streaks(await looks(of, guardOf({ value: 'other', max: '0.5' }), 1, 'r/Shifting/1'))).toEqual([[1, 0]]);
  });
});

describe('a rate of counts', () => {
  test('has what came from one look to the next as a batch', async () => {
    script = { bad_total: [1, 3, 3].map(sample), all_total: [10, 30, 30].map(sample) };
    expect((await looks(source(), rates, 3)).at(-1)).toEqual({
      kind: 'Rates',
      bad: 3,
      total: 30,
      batches: { count: 2, squaredOverTotal: 1 / 10 + 4 / 20 },
    });
  });

  test('takes a little more bad than all for what increase() extrapolated, and much more for a mistake', async () => {
    script = { bad_total: [sample(10.6), sample(-0.4), sample(50)], all_total: [10, 10, 10].map(sample) };
    expect(await looks(source(), rates, 3)).toEqual([
      expect.objectContaining({ kind: 'Rates', bad: 10, total: 10 }),
      expect.objectContaining({ kind: 'Rates', bad: 0, total: 10 }),
      { kind: 'Invalid', message: 'bad (50) is more than total (10): bad must count some of what total counts' },
    ]);
  });

  test('that is no count of events is refused: its interval would have no digits, nor the status room for it', async () => {
    script = { bad_total: [sample(0)], all_total: [sample(1e20)] };
    expect(await looks(source(), rates, 1)).toEqual([
      { kind: 'Invalid', message: expect.stringContaining('no count of events') },
    ]);
  });

  test('flagger#1035: no values found is no failure', async () => {
    script = { bad_total: [NOTHING], all_total: [NOTHING] };
    expect(await looks(source(), rates, 1)).toEqual([
      { kind: 'Unreachable', message: 'the query total gives no data yet' },
    ]);
  });

  test('is forgotten with its service, whatever still hangs', async () => {
    const of = source();
    of.read(question([rates]));
    of.forget(SERVICE);
    await turn();
    expect(changes).toBe(0);
    expect(hanging).toHaveLength(2);
  });
});

describe('the HTTP API of Prometheus', () => {
  const vector = (...values: string[]) =>
    JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: values.map((v, i) => ({ metric: { i: `${i}` }, value: [1, v] })) },
    });
  test.each<[string, number, string, object]>([
    [
      'a vector',
      200,
      vector('1.5', '+Inf'),
      {
        kind: 'Vector',
        samples: [
          { labels: { i: '0' }, value: 1.5 },
          { labels: { i: '1' }, value: Number.POSITIVE_INFINITY },
        ],
      },
    ],
    [
      'a scalar',
      200,
      '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
      { kind: 'Vector', samples: [{ labels: {}, value: 2 }] },
    ],
    [
      'a range',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[]}}',
      { kind: 'Refused', message: 'the answer is a range of values' },
    ],
    [
      'a query that does not parse',
      400,
      '{"status":"error","errorType":"bad_data","error":"parse error"}',
      { kind: 'Refused', message: 'parse error' },
    ],
    ['an overload', 503, '{"status":"error","errorType":"timeout","error":"query timed out"}', { kind: 'Unreachable' }],
    [
      'a page of a proxy',
      200,
      '<html>sign in</html>',
      { kind: 'Unreachable', message: 'http://p answered 200, and not as a Prometheus does' },
    ],
  ])('gives %s', (_what, status, text, answer) => {
    expect(readAnswer(status, text, 'http://p')).toMatchObject(answer);
  });
});
