import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openTestModel, words } from './testing/models.ts';
import { serving } from './testing/serving.ts';
import { post } from './testing/socket.ts';
import { UnreadAnswers } from './unreadAnswers.ts';

class Reader extends EventEmitter {
  readonly name: string;
  readonly gone: string[];
  writableLength: number;
  bytesWritten = 1000;
  constructor(name: string, writableLength: number, gone: string[]) {
    super();
    this.name = name;
    this.writableLength = writableLength;
    this.gone = gone;
  }
  destroy(): this {
    this.gone.push(this.name);
    this.emit('close');
    return this;
  }
}

test.each([
  ['nobody, as long as there is room', [15, 10], []],
  ['who leaves most unread, and no more than it takes', [10, 70, 50], ['1']],
  ['one after the other', [90, 80, 95], ['2', '0']],
  ['nobody who is alone, however long the answer', [900, 0], []],
])('%s', (_what, lengths, expected) => {
  const gone: string[] = [];
  const unread = new UnreadAnswers(100);
  for (const [i, length] of lengths.entries()) unread.watch(new Reader(String(i), length, gone));
  unread.look();
  unread.look();
  expect(gone).toEqual(expected);
});

test('where there is little room, who takes nothing for two seconds goes, and who takes a little stays', () => {
  const gone: string[] = [];
  const unread = new UnreadAnswers(100);
  const slow = new Reader('slow', 20, gone);
  for (const reader of [new Reader('silent', 10, gone), slow, new Reader('idle', 0, gone)]) unread.watch(reader);
  for (let look = 0; look < 8; look++) {
    slow.writableLength -= 0.5;
    unread.look();
  }
  expect(gone).toEqual([]);
  slow.writableLength -= 0.5;
  unread.look();
  expect(gone).toEqual(['silent']);
});

const TEXT_BYTES = 16 * 1024 * 1024;
const ask = (text: string) =>
  post('/v2/models/words/infer', { inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }] });

test('callers that read no answer lose their connections when together they hold too much, and others are answered', async () => {
  const open = await openTestModel(words);
  onTestFinished(() => open.close());
  const { port, server, send } = await serving([open.model], { limits: { maxBodiesBytes: 1024 * 1024 } });
  const question = ask('a'.repeat(TEXT_BYTES));
  for (let i = 0; i < 2; i++) {
    const caller = connect(port, '127.0.0.1').pause();
    onTestFinished(() => void caller.destroy());
    caller.on('error', () => undefined);
    await new Promise<void>((resolve) => caller.write(question, () => resolve()));
  }
  const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  await vi.waitFor(async () => expect(await connections()).toBe(1), 5000);
  expect((await send(ask('b'))).status).toBe(200);
});
