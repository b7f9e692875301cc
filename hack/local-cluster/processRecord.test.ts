import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { isAlive, parseRecord, parseStat, recordOf, recordText } from './processRecord.ts';

describe('a process record', () => {
  test('reads back as it was written', () => {
    const record = { pid: 42, start: '123456', boot: 'a-b-c' };
    expect(parseRecord(recordText(record))).toEqual(record);
  });

  test.each(['', '42', '42 123', '42 123 boot', 'x 123 boot\n'])('is not made of %j, as a crash may leave', (text) => {
    expect(parseRecord(text)).toBeUndefined();
  });

  test('finds the start time behind a command name with spaces and parentheses', () => {
    const stat = `7 (a) b (c) S ${Array.from({ length: 30 }, (_, i) => i).join(' ')}`;
    expect(parseStat(stat)).toEqual({ state: 'S', start: '18' });
  });

  test('tells this process from another that got its pid later', async () => {
    const self = await recordOf(process.pid);
    expect(self).toBeDefined();
    if (!self) return;
    expect(await isAlive(self)).toBe(true);
    expect(await isAlive({ ...self, start: `${Number(self.start) + 1}` })).toBe(false);
    expect(await isAlive({ ...self, boot: 'another boot' })).toBe(false);
  });

  test('is gone when the process is', async () => {
    const child = spawn('sleep', ['60']);
    const record = await recordOf(child.pid ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(record).toBeDefined();
    expect(record && (await isAlive(record))).toBe(false);
  });
});
