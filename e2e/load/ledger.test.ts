import { describe, expect, test } from 'vitest';
import { type Answer, faultOf, tally } from './ledger.ts';
import { judgeBody } from './probe.ts';

const answer = (at: number, version: string | undefined, over: Partial<Answer> = {}): Answer => ({
  sentAt: at - 5,
  answeredAt: at,
  status: 200,
  version,
  sound: true,
  squaredError: 0.25,
  why: '',
  ...over,
});
const failure = (at: number, version: string | undefined): Answer =>
  answer(at, version, { status: 500, sound: false, squaredError: undefined, why: 'status 500' });

const rollout = [
  { from: 0, versions: ['1.0.0'] },
  { from: 100, versions: ['1.0.0', '1.1.0'] },
  { from: 200, versions: ['1.0.0'] },
];
const offences = (answers: readonly Answer[], suspects: readonly string[] = []): string[] =>
  tally(answers, rollout, suspects).unexcused.map((a) => a.offence);

describe('the ledger', () => {
  test('counts nothing against a rollout in which every answer came from a version in its turn', () => {
    expect(offences([answer(50, '1.0.0'), answer(150, '1.1.0'), answer(250, '1.0.0')])).toEqual([]);
  });
  test('counts an answer by a version before its turn and after it', () => {
    expect(offences([answer(50, '1.1.0'), answer(250, '1.1.0')])).toEqual([
      'version 1.1.0 answered out of its turn',
      'version 1.1.0 answered out of its turn',
    ]);
  });
  test('lets a request that was under way at the switch be answered by either side', () => {
    expect(offences([answer(203, '1.1.0')])).toEqual([]);
  });
  test('counts a failure of a good version, and one that no version signed', () => {
    expect(offences([failure(150, '1.0.0'), failure(150, undefined)])).toEqual(['status 500', 'status 500']);
  });
  test('excuses failures of a suspected version in its turn, and only then', () => {
    expect(offences([failure(150, '1.1.0')], ['1.1.0'])).toEqual([]);
    expect(offences([failure(250, '1.1.0')], ['1.1.0'])).toEqual(['version 1.1.0 answered out of its turn']);
  });
  test('counts a lost request', () => {
    expect(offences([answer(50, undefined, { status: undefined, sound: false, why: 'SocketError: closed' })])).toEqual([
      'SocketError: closed',
    ]);
  });
  test('scores each version by its sound answers', () => {
    const answers = [answer(1, '1.0.0'), answer(2, '1.0.0', { squaredError: 0.75 }), failure(3, '1.0.0')];
    expect(tally(answers, rollout, []).byVersion).toEqual([{ version: '1.0.0', answers: 3, failed: 1, brier: 0.5 }]);
  });
  test('measures a fault from the first server error to the last answer of any kind', () => {
    const answers = [answer(100, '1.1.0'), failure(120, '1.1.0'), answer(160, '1.1.0'), answer(400, '1.0.0')];
    expect(faultOf(answers, '1.1.0')).toEqual({ firstFaultAt: 120, lastAnswerAt: 160, answers: 3, failed: 1 });
    expect(faultOf(answers, '1.0.0')).toBeUndefined();
  });
});

describe('an answer', () => {
  const body = (version: string, values: number[]): string =>
    JSON.stringify({ model_version: version, outputs: [{ name: 'probability', data: values }] });
  test.each([
    ['is sound with one probability from the version in the header', 200, '1.0.0', body('1.0.0', [0.7]), true],
    ['is not sound when header and body disagree', 200, '1.0.0', body('1.1.0', [0.7]), false],
    ['is not sound outside [0, 1]', 200, '1.0.0', body('1.0.0', [1.7]), false],
    ['is not sound without a version header', 200, undefined, body('1.0.0', [0.7]), false],
    ['is not sound when it is not JSON', 200, '1.0.0', '<html>', false],
    ['is not sound with another status', 500, '1.0.0', body('1.0.0', [0.7]), false],
  ])('%s', (_name, status, version, text, want) => {
    expect(judgeBody(status, version, text, 1).sound).toBe(want);
  });
  test('is scored by how far its probability is from what turned out true', () => {
    const scores = [1, 0].map((label) => judgeBody(200, '1.0.0', body('1.0.0', [0.75]), label).squaredError);
    expect(scores).toEqual([0.0625, 0.5625]);
  });
});
