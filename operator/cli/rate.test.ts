import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseCommand } from './arguments.ts';
import { judgeByHand, type RateQuestion, rateLines } from './rate.ts';

const question = (...flags: string[]): RateQuestion => {
  const command = parseCommand(['rate', ...flags]);
  if (command.verb !== 'rate') throw new Error('not a rate');
  return command.question;
};

describe('kubectl slipway rate', () => {
  test('fails a rate that is surely above the limit', () => {
    const answer = judgeByHand(question('--bad=60', '--total=500', '--limit=5%'));
    expect(answer).toMatchObject({ verdict: 'Fail', rate: 0.12, limit: 0.05, total: 500, needed: 0 });
    expect(answer.low).toBeGreaterThan(0.05);
    expect(answer.high).toBeGreaterThan(answer.rate);
  });
  test('passes 984 clean requests against a limit of 1%, and no fewer', () => {
    const clean = (total: number) => judgeByHand(question('--bad=0', `--total=${total}`, '--limit=1%'));
    expect(clean(984).verdict).toBe('Pass');
    expect(clean(980)).toMatchObject({ verdict: 'NeedMore' });
    expect(clean(980).needed).toBeLessThan(15);
  });
  test('says how many requests more it takes, and the answer holds when they have come', () => {
    const { verdict, needed } = judgeByHand(question('--bad=20', '--total=500', '--limit=5%'));
    expect(verdict).toBe('NeedMore');
    const total = 500 + (needed ?? Number.NaN);
    const later = judgeByHand(question(`--bad=${Math.floor(total * 0.04)}`, `--total=${total}`, '--limit=5%'));
    expect(later.verdict).toBe('Pass');
  });
  test('knows that a rate on the limit is never told from it', () => {
    expect(judgeByHand(question('--bad=25', '--total=500', '--limit=5%')).needed).toBeNull();
  });
  test('tells it to people in four lines of at most 80 columns', () => {
    const asked = question('--bad=20', '--total=500', '--limit=5%');
    const lines = rateLines(judgeByHand(asked), asked);
    expect(lines[0]).toBe('20 of 500 requests: 4%, limit 5%');
    expect(lines.at(-1)).toMatch(/^NeedMore: about \d+ requests more/);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
  });
  test('tells it to scripts as one object, without a cluster', async () => {
    const command = ['rate', '--bad', '20', '--total', '500', '--limit', '5%', '-o', 'json'];
    const main = join(import.meta.dirname, 'main.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...command], {
      env: { KUBECONFIG: '/none' },
    });
    const { low, high, verdict, total, needed, ...others } = JSON.parse(stdout);
    expect({ verdict, total, others }).toEqual({
      verdict: 'NeedMore',
      total: 500,
      others: { rate: 0.04, limit: 0.05 },
    });
    expect([low > 0.005 && low < 0.04, high > 0.05 && high < 0.12, needed > 1000]).toEqual([true, true, true]);
  });
  test.each([
    [['--total=500', '--limit=5%'], 'rate needs --bad as a whole number'],
    [['--bad=x', '--total=500', '--limit=5%'], 'rate needs --bad as a whole number'],
    [['--bad=20', '--total=10', '--limit=5%'], 'total counts the bad ones too'],
    [['--bad=20', '--total=500', '--limit=5'], 'rate needs --limit between 0% and 100%'],
    [['--bad=20', '--total=500', '--limit=100%'], 'rate needs --limit between 0% and 100%'],
    [['--bad=20', '--total=500', '--limit=5%', '--confidence=1'], '--confidence must be'],
    [['--bad=20', '--total=500', '--limit=5%', '-o', 'yaml'], 'write -o json'],
    [['infs/x', '--bad=20', '--total=500', '--limit=5%'], 'rate takes flags only'],
  ])('%j is refused with what to write instead', (flags, why) => {
    expect(() => parseCommand(['rate', ...flags])).toThrow(why);
  });
});
