import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AnswerHeads } from './answerHead.ts';
import { Lane } from './lane.ts';
import type { LaneExchange } from './laneExchange.ts';

const TIMES = { sweepMs: 1000, keepAliveMs: 75_000, bodyMs: 30_000 };

/** A lane whose clock is the test's, one connection to it, and the exchange that is open. */
async function swept(silenceMs = 92_000) {
  const adopt = vi.fn((socket: Socket) => void socket.resume());
  const breakOff = vi.fn();
  const open: { exchange?: LaneExchange } = {};
  const answer = (_target: string, exchange: LaneExchange) => {
    open.exchange = exchange;
    return true;
  };
  const heads = new AnswerHeads(() => 0, TIMES.keepAliveMs);
  const rules = { heads, mostHeadBytes: 4096, mostBodyBytes: 4096, silenceMs, leaving: () => false, answer, breakOff };
  const lane = new Lane(rules, TIMES, adopt);
  const server = createServer({ allowHalfOpen: true }, (socket) => lane.take(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await accepted;
  const sweeps = (count: number) => {
    for (let sweep = 0; sweep < count; sweep += 1) lane.sweep();
  };
  const ask = async (body: string) => {
    socket.write(`POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n${body}`);
    await vi.waitFor(() => expect(open.exchange).toBeDefined());
    return open.exchange as LaneExchange;
  };
  return { socket, sweeps, ask, adopt, breakOff };
}

const reply = (body: string) => ({ status: 200, headers: [], body });

test('a connection on which nothing comes is left to node:http and its clock', async () => {
  const { sweeps, adopt } = await swept();
  sweeps(1);
  expect(adopt).toHaveBeenCalledOnce();
});

test('a kept connection may be idle as long as callers are told, and no longer', async () => {
  const { socket, sweeps, ask } = await swept();
  (await ask('body')).send(reply('a'), [], false);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('Keep-Alive: timeout=75');
  sweeps(75);
  expect(socket.readableEnded).toBe(false);
  const ended = once(socket, 'close');
  sweeps(1);
  await ended;
});

test('a body may take as long as the settings say, and no longer', async () => {
  const { sweeps, ask, breakOff } = await swept();
  await ask('bo');
  sweeps(30);
  expect(breakOff).not.toHaveBeenCalled();
  sweeps(1);
  expect(breakOff).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'Late');
});

test('a question that waits for its answer is not late, however long it takes', async () => {
  const { socket, sweeps, ask, breakOff } = await swept();
  const exchange = await ask('body');
  sweeps(200);
  exchange.send(reply('late'), [], false);
  const [answer] = await once(socket, 'data');
  expect([String(answer).endsWith('late'), breakOff.mock.calls.length]).toEqual([true, 0]);
});

test('a caller that takes nothing of a large answer loses the connection', async () => {
  const { socket, ask } = await swept(50);
  socket.pause();
  const exchange = await ask('body');
  exchange.send(reply('x'.repeat(64 * 1024 * 1024)), [], false);
  expect(exchange.isGone).toBe(false);
  await vi.waitFor(() => expect(exchange.isGone).toBe(true));
});
