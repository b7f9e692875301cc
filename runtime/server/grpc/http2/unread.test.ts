import { expect, test } from 'vitest';
import { settingsFrame, windowUpdateFrame } from './frames.ts';
import { encodeHeaders } from './hpack/encode.ts';
import { ERROR, FLAG, FRAME, SETTING } from './protocol.ts';
import { headers, Peer } from './testing/peer.ts';
import { Unread } from './unread.ts';

const WHOLE = FLAG.endHeaders | FLAG.endStream;
const HEAD = encodeHeaders([{ name: ':status', value: '200' }]);
const END = encodeHeaders([{ name: 'grpc-status', value: '0' }]);

/** A peer that has asked so many questions, and reads no answer. */
function silentPeer(questions: number, limits: ConstructorParameters<typeof Peer>[0]) {
  const ids = Array.from({ length: questions }, (_, i) => 2 * i + 1);
  return new Peer(limits).greet(
    settingsFrame([[SETTING.initialWindowSize, 0]]),
    ...ids.map((id) => headers(id, WHOLE)),
  );
}
const answer = (peer: Peer, index: number, bytes: number) =>
  peer.seen[index]?.stream.send(HEAD, Buffer.alloc(bytes), END);
const resets = async (peer: Peer) =>
  (await peer.frames())
    .filter(({ type }) => type === FRAME.rstStream)
    .map(({ stream, payload }) => [stream, payload.readUInt32BE(0)]);

test('whoever leaves most unread of all connections loses its longest answer, and its stream is told', async () => {
  const peers: Peer[] = [];
  const unread = new Unread(100_000, () => peers.map(({ connection }) => connection));
  const [greedy, other] = [silentPeer(2, { unread }), silentPeer(1, { unread })];
  peers.push(greedy, other);
  answer(greedy, 0, 50_000);
  answer(greedy, 1, 20_000);
  answer(other, 0, 30_000);
  expect([unread.bytes, await resets(greedy)]).toEqual([100_000, []]);
  const late = silentPeer(1, { unread });
  peers.push(late);
  answer(late, 0, 1);
  expect([unread.bytes, await resets(greedy), await resets(other), await resets(late)]).toEqual([
    50_001,
    [[1, ERROR.enhanceYourCalm]],
    [],
    [],
  ]);
  for (const { connection } of peers) connection.lost();
  expect(unread.bytes).toBe(0);
});

test('one answer that is alone may be longer than the bound of all', async () => {
  const peers: Peer[] = [];
  const unread = new Unread(1000, () => peers.map(({ connection }) => connection));
  const peer = silentPeer(1, { unread });
  peers.push(peer);
  answer(peer, 0, 5000);
  expect([unread.bytes, await resets(peer)]).toEqual([5000, []]);
  peer.send(windowUpdateFrame(1, 5000));
  expect(unread.bytes).toBe(0);
});

test('a stream that nobody reads is given up while others of its connection are read', async () => {
  const peer = silentPeer(2, { unreadMs: 5000 });
  answer(peer, 0, 100);
  answer(peer, 1, 100);
  const gone: boolean[] = [];
  for (let second = 1; second <= 7; second++) {
    peer.send(windowUpdateFrame(3, 10));
    peer.connection.tick(second * 1000);
    gone.push(peer.seen[0]?.gone === true);
  }
  expect(gone).toEqual([false, false, false, false, false, false, true]);
  expect([await resets(peer), peer.seen[1]?.gone, peer.connection.closed]).toEqual([
    [[1, ERROR.enhanceYourCalm]],
    false,
    false,
  ]);
});

test('where there is little room, a stream on which nothing moves is given up within three seconds', async () => {
  const unread = new Unread(1000, () => []);
  const peer = silentPeer(1, { unread });
  answer(peer, 0, 251);
  for (let second = 1; second <= 3; second++) peer.connection.tick(second * 1000);
  expect(peer.seen[0]?.gone).toBe(false);
  peer.connection.tick(4000);
  expect([peer.seen[0]?.gone, unread.bytes]).toEqual([true, 0]);
});
