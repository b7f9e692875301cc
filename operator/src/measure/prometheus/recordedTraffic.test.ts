import { expect, test } from 'vitest';
import type { Range, Series } from './rangeQuery.ts';
import { growthOf, recordedTraffic } from './recordedTraffic.ts';

const range: Range = { start: 1000, end: 1060, step: 15 };
const series = (labels: Series['labels'], ...values: readonly (readonly [number, number])[]): Series => ({
  labels,
  values,
});

test.each<[string, readonly (readonly [number, number])[], readonly (readonly [number, number])[]]>([
  [
    'what a counter grew by',
    [
      [1000, 5],
      [1015, 8],
      [1030, 8],
    ],
    [
      [0, 3],
      [1, 0],
    ],
  ],
  [
    'a restart begins at zero',
    [
      [1000, 50],
      [1015, 60],
      [1030, 4],
    ],
    [
      [0, 10],
      [1, 4],
    ],
  ],
  [
    'a pod that comes later counted all of its own',
    [
      [1030, 7],
      [1045, 9],
    ],
    [
      [1, 7],
      [2, 2],
    ],
  ],
  [
    'a pod that went leaves what it had',
    [
      [1000, 5],
      [1015, 8],
    ],
    [[0, 3]],
  ],
])('%s', (_what, values, growth) => {
  expect([...growthOf(series({}, ...values), range)]).toEqual(growth);
});

const question = {
  server: 'http://prometheus',
  namespace: 'ml',
  service: 'flights',
  model: 'flights',
  thresholds: [60, 1000],
  range,
};
const labelled = (version: string, more: object) => ({ pod: `flights-0123456789-x-${version}`, version, ...more });

test('a record holds both versions, refusals as failures, and what was slower than each threshold', async () => {
  const asked: string[] = [];
  const query = (_server: string, text: string) => {
    asked.push(text);
    const grew = (version: string, more: object, to: number) => series(labelled(version, more), [1000, 0], [1015, to]);
    const answers: [string, Series[]][] = [
      [
        'requests_total',
        [
          grew('1.0.0', { outcome: 'ok' }, 90),
          grew('1.0.0', { outcome: 'serverError' }, 4),
          grew('1.0.0', { outcome: 'shed' }, 6),
          grew('1.1.0', { outcome: 'ok' }, 10),
        ],
      ],
      [
        '_bucket',
        [grew('1.0.0', { le: '0.06' }, 80), grew('1.0.0', { le: '1.0' }, 90), grew('1.0.0', { le: '+Inf' }, 94)],
      ],
    ];
    return Promise.resolve(answers.find(([name]) => text.includes(name))?.[1] ?? []);
  };
  const { stable, candidate } = await recordedTraffic({ ...question, candidate: '1.1.0' }, query, AbortSignal.abort());
  const slower = { 60: 14, 1000: 4 };
  expect(stable).toEqual([{ at: 1_000_000, seconds: 15, total: 100, bad: 10, invalid: 0, right: 0, wrong: 0, slower }]);
  expect(candidate).toMatchObject([{ total: 10, bad: 0 }]);
  expect(asked[0]).toContain('namespace="ml",pod=~"flights-[0-9a-f]{10}-[0-9a-z]+-[0-9a-z]+",model="flights"');
  expect(asked.at(-1)).toContain(String.raw`le=~"0\\.06|1(\\.0)?|\\+Inf"`);
});

test('nothing recorded is said, with what is needed', async () => {
  await expect(recordedTraffic(question, () => Promise.resolve([]), AbortSignal.abort())).rejects.toThrow(
    'http://prometheus knows no requests of infs/flights in that time: it needs slipway_',
  );
});
