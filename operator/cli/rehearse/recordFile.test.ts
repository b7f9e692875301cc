import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRecord, recordText } from './recordFile.ts';

const JSONL = `{"time":"2030-01-01T00:00:00Z","total":1500,"bad":3,"slower":{"60":12}}
{"time":"2030-01-01T00:00:15Z","total":1400}

{"time":"2030-01-01T00:00:30Z","total":1600,"arm":"candidate","right":4,"wrong":1}
{"time":"2030-01-01T00:00:40Z","total":1600,"arm":"candidate"}
`;

test('reads lines of JSON, each interval as long as until the next of its arm', () => {
  const { stable, candidate } = readRecord(JSONL, 'traffic.jsonl');
  expect(stable).toEqual([
    { at: Date.UTC(2030, 0, 1), seconds: 15, total: 1500, bad: 3, invalid: 0, slower: { 60: 12 }, right: 0, wrong: 0 },
    expect.objectContaining({ seconds: 15, total: 1400, bad: 0 }),
  ]);
  expect(candidate.map(({ seconds, right }) => [seconds, right])).toEqual([
    [10, 4],
    [10, 0],
  ]);
});

test('reads CSV by the names of its head, times as seconds since 1970 too, and empty cells as nothing', () => {
  const text = 'time,arm,total,bad,slower_60\n1893456000,stable,1500,3,12\r\n1893456015,stable,1400,,10\n';
  expect(readRecord(text, 'traffic.csv').stable).toEqual([
    expect.objectContaining({ at: Date.UTC(2030, 0, 1), seconds: 15, total: 1500, bad: 3, slower: { 60: 12 } }),
    expect.objectContaining({ total: 1400, bad: 0, slower: { 60: 10 } }),
  ]);
});

const line = (more: object) => JSON.stringify({ time: '2030-01-01T00:00:00Z', total: 10, ...more });
const second = line({ time: '2030-01-01T00:00:15Z' });
test.each([
  ['nothing', '', 'line 1: is neither JSON nor the head of a CSV'],
  ['prose', 'hello', 'line 1: is neither JSON nor the head of a CSV. Write lines such as {"time"'],
  ['half a line', `${second}\n{"time":`, 'line 2: is no JSON'],
  ['no total', '{"time":"2030-01-01T00:00:00Z"}', 'line 1: total: '],
  ['a time that is none', line({ time: 'noon' }), 'line 1: time: '],
  ['another name', line({ errors: 3 }), 'line 1: Unrecognized key: "errors"'],
  ['more bad than all', line({ bad: 11 }), 'line 1: bad, invalid and slower are parts of total'],
  ['half a request', line({ bad: 0.5 }), 'line 1: bad: '],
  ['a threshold that nobody counts by', line({ slower: { 61: 1 } }), 'line 1: slower.61: the runtime counts by 0.1, '],
  ['one interval', second, 'holds 1 intervals, and a replay needs two at least'],
  ['times that fall', `${second}\n${line({})}`, 'times must rise from line to line'],
  ['a week and a day', `${line({})}\n${line({ time: '2030-01-09T00:00:00Z' })}`, 'spans more than 7 days'],
  ['a row too short', 'time,total\n1893456000', 'line 2: has 1 cells, and the head has 2'],
])('%s is refused with the line and what to write', (_what, text, why) => {
  expect(() => readRecord(text, 'traffic')).toThrow(why);
});

test('what it writes it reads again', () => {
  const count = fc.nat(1000);
  const interval = fc.record({ bad: count, invalid: count, slow: count, right: count, wrong: count });
  fc.assert(
    fc.property(fc.array(interval, { minLength: 2, maxLength: 20 }), (all) => {
      const stable = all.map(({ slow, ...counted }, i) => ({
        ...counted,
        total: 1000,
        slower: { 60: slow },
        at: Date.UTC(2030, 0, 1) + i * 15_000,
        seconds: 15,
      }));
      const recording = { stable, candidate: stable.slice(0, 2) };
      expect(readRecord(recordText(recording), 'again')).toEqual(recording);
    }),
  );
});
