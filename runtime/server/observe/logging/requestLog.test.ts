import { servingSettingsSchema } from '@slipway/crds/serving';
import { expect, test } from 'vitest';
import type { Exchange, UnservedExchange } from '../../evidence/modelEvidence.ts';
import type { TensorValue } from '../../tensor.ts';
import { rows } from '../testing/candidate.ts';
import { type LoggedModel, RequestLog } from './requestLog.ts';

const MODEL: LoggedModel = {
  identity: { name: 'flights', version: '3', digest: 'sha256:abc' },
  signature: {
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'month'] },
      { name: 'airline', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [{ name: 'delay', datatype: 'FP32', shape: [-1, 1] }],
  },
  features: [{ name: 'far', tensor: 'x', index: 0, kind: 'categorical', count: 0, categories: [], other: 0 }],
};

function logOf(settings: object) {
  const lines: (Record<string, unknown> & { level: string; sentence: string })[] = [];
  let now = 0;
  const write = (level: string) => (facts: object, sentence: string) => {
    lines.push({ ...facts, level, sentence });
  };
  const log = new RequestLog(servingSettingsSchema.parse({ logging: settings }).logging, MODEL, {
    log: { info: write('info'), error: write('error') },
    now: () => now,
    hashKey: new Uint8Array(32),
  });
  return { log, lines, pass: (ms: number) => (now += ms) };
}

const texts = (...elements: string[]): TensorValue => ({
  name: 'airline',
  datatype: 'BYTES',
  shape: [elements.length],
  elements,
});

const exchange = (more: Partial<Exchange> = {}): Exchange => ({
  wanted: 2,
  id: 'r1',
  protocol: 'grpc',
  traceparent: undefined,
  startedAt: 0,
  answered: { outcome: 'ok', protocol: 'grpc', latencyMs: 4, queueMs: 1, computeMs: 2, rows: 2 },
  inputs: [
    rows('x', [
      [612.5, 1],
      [613.5, 1],
    ]),
    texts('Slipway Air', 'Slipway Air'),
  ],
  outcome: {
    outputs: [rows('delay', [[41], [42]])],
    batchRows: 9,
    queueMs: 1,
    computeMs: 2,
    cached: false,
    run: undefined,
  },
  ...more,
});

const failure = (status: number, sentence = 'It failed.'): UnservedExchange => {
  const { inputs: _inputs, outcome: _outcome, ...rest } = exchange();
  return { ...rest, answered: { outcome: 'serverError', protocol: 'grpc', latencyMs: 4 }, status, sentence };
};

test('a line says what happened to a request, and nothing of what was in it', () => {
  const { log, lines } = logOf({ share: 1 });
  log.answered(exchange());
  expect(lines).toEqual([
    {
      level: 'info',
      sentence: 'answered',
      request: 'r1',
      model: 'flights',
      version: '3',
      digest: 'sha256:abc',
      protocol: 'grpc',
      outcome: 'ok',
      latencyMs: 4,
      queueMs: 1,
      computeMs: 2,
      rows: 2,
      batchRows: 9,
      cached: false,
    },
  ]);
  expect(log.readsInputs).toBe(false);
});

test('features are logged as keyed hashes: equal values alike, by feature, column or input', () => {
  const { log, lines } = logOf({ share: 1, hash: ['airline', 'distance', 'far'] });
  log.answered(exchange());
  const hashed = lines[0]?.['hashed'] as Record<string, string[]>;
  expect(Object.keys(hashed)).toEqual(['airline', 'distance', 'far']);
  for (const hashes of Object.values(hashed)) for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  const [first, second] = hashed['airline'] as [string, string];
  expect(first).toBe(second);
  expect(hashed['distance']?.[0]).not.toBe(hashed['distance']?.[1]);
  expect(hashed['far']).toEqual(hashed['distance']);
});

test('no raw value is in any line unless the payload is asked for', () => {
  const { log, lines } = logOf({ share: 1, hash: ['airline', 'distance'] });
  log.answered(exchange());
  log.failed(failure(500), true);
  for (const value of ['Slipway', '612.5', '613.5', '41', '42']) expect(JSON.stringify(lines)).not.toContain(value);
});

test('the payload is logged as it is where it is asked for, up to a length', () => {
  const { log, lines } = logOf({ share: 1, payload: true });
  const wide: TensorValue = {
    name: 'x',
    datatype: 'INT64',
    shape: [1, 2000],
    elements: new BigInt64Array(2000).fill(2n ** 60n),
  };
  log.answered(exchange({ inputs: [wide, texts('Slipway Air')] }));
  expect(log.readsInputs).toBe(true);
  const [input, text] = (lines[0] as Record<string, unknown>)['inputs'] as { data: unknown[] }[];
  expect(input?.data).toHaveLength(1024);
  expect(input?.data[0]).toBe('1152921504606846976');
  expect(text).toEqual({ name: 'airline', datatype: 'BYTES', shape: [1], data: ['Slipway Air'] });
  expect(lines[0]?.['outputs']).toEqual([{ name: 'delay', datatype: 'FP32', shape: [2, 1], data: [41, 42] }]);
});

test('errors of the server are logged once a second, with how many were not', () => {
  const { log, lines, pass } = logOf({});
  for (let i = 0; i < 5; i++) log.failed(failure(500), false);
  pass(1000);
  log.failed(failure(500, 'Again.'), false);
  expect(lines).toMatchObject([
    { level: 'error', status: 500, sentence: 'request failed' },
    { level: 'error', status: 500, notLogged: 4 },
  ]);
});

test('overload and the errors of callers are not logged, unless they are sampled', () => {
  const { log, lines } = logOf({});
  for (const status of [503, 400, 404]) log.failed(failure(status), false);
  expect(lines).toEqual([]);
  log.failed(failure(400), true);
  expect(lines).toMatchObject([{ level: 'info', sentence: 'not answered', status: 400 }]);
});

test('a feature that the model does not have is refused at the start', () => {
  expect(() => logOf({ hash: ['salary'] })).toThrow(
    'logging.hash names "salary", which is no feature, column or input of model flights.',
  );
});
