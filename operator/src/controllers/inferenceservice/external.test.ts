import { beforeEach, expect, test } from 'vitest';
import type { InferenceService } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';
import { PrometheusFindings } from '../../measure/external/prometheusFindings.ts';
import type { QueryAnswer } from '../../measure/prometheus/answer.ts';
import type { Children } from './children.ts';
import { type ExternalReaders, readExternal } from './external.ts';

const REFUSED: QueryAnswer = { kind: 'Refused', message: 'parse error: unclosed left parenthesis' };
const NO_DATA: QueryAnswer = { kind: 'Vector', samples: [] };
let answer: QueryAnswer = REFUSED;

const readers = (): ExternalReaders => ({
  queries: new PrometheusFindings({
    query: async () => answer,
    defaultServer: 'http://p:9090',
    now: () => new Date(0),
    changed: () => undefined,
  }),
  tests: { read: () => ({}), forget: () => undefined } as never,
});

const serviceIn = (phase: string, more: object = {}): Stored<InferenceService> =>
  ({
    metadata: { name: 'flights', namespace: 'ml' },
    spec: {
      rollout: { guards: [{ name: 'lost', prometheus: { value: 'sum(', max: '1', failures: 3, interval: '15s' } }] },
    },
    status: {
      rolloutID: 'r-1',
      stable: { revision: 'v0' },
      candidate: { phase, step: 0, weight: 0, revision: 'v1', version: '1.1.0', startedAt: '2026-01-01T00:00:00Z' },
      ...more,
    },
  }) as never;

async function found(infs: Stored<InferenceService>) {
  const of = readers();
  readExternal(of, infs, { tests: [] } as never as Children);
  await new Promise((resolve) => setImmediate(resolve));
  return readExternal(of, infs, { tests: [] } as never as Children);
}

beforeEach(() => {
  answer = REFUSED;
});

test('a query that does not parse is found before the candidate is shown to anybody', async () => {
  expect(await found(serviceIn('Preparing'))).toMatchObject({ lost: { kind: 'Invalid' } });
});

test('a query without data is no finding until the candidate is shown', async () => {
  answer = NO_DATA;
  expect(await found(serviceIn('Preparing'))).toEqual({});
  expect(await found(serviceIn('Shadowing'))).toMatchObject({ lost: { kind: 'Unreachable' } });
});

test('a query that was worded anew is untried until its own answer comes, whatever the old one gave', async () => {
  answer = NO_DATA;
  const of = readers();
  const read = (value: string) => {
    const infs = serviceIn('Preparing');
    const guard = { name: 'lost', prometheus: { value, max: '1', failures: 3, interval: '15s' } };
    return readExternal(of, { ...infs, spec: { rollout: { guards: [guard] } } } as never, { tests: [] } as never);
  };
  const answered = () => new Promise((resolve) => setImmediate(resolve));
  expect(read('up')).toEqual({ lost: { kind: 'Untried' } });
  await answered();
  expect(read('up')).toEqual({});
  answer = REFUSED;
  expect(read('sum(')).toEqual({ lost: { kind: 'Untried' } });
  await answered();
  expect(read('sum(')).toMatchObject({ lost: { kind: 'Invalid' } });
});

test('nobody is asked about a first version, nor when a rollout is over', async () => {
  expect(await found(serviceIn('Preparing', { stable: undefined }))).toEqual({});
  expect(await found(serviceIn('RolledBack'))).toEqual({});
});
