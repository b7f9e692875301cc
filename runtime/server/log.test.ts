import { expect, test } from 'vitest';
import { openLogs } from './log.ts';

test('at a terminal a line is a sentence with its facts', () => {
  const lines: string[] = [];
  const log = openLogs({ isTTY: true, write: (text) => lines.push(text) }).own;
  log.info({}, 'drained');
  log.info({ rest: 8080, host: 'a' }, 'listening');
  log.warn({ model: 'm' }, 'no golden.jsonl');
  log.fatal({ reason: 'ModelMissing' }, 'There is no model in x.');
  expect(lines).toEqual([
    'drained\n',
    'listening rest=8080 host=a\n',
    'warning: no golden.jsonl model=m\n',
    'slipway-server: There is no model in x. reason=ModelMissing\n',
  ]);
});

test('the stack of an error is shown', () => {
  const lines: string[] = [];
  openLogs({ isTTY: true, write: (text) => lines.push(text) }).own.error({ cause: new Error('why') }, 'It failed.');
  expect(lines[0]).toMatch(/^error: It failed\. cause=Error: why\n {4}at /);
});
