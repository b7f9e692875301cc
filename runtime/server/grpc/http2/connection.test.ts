import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  frame,
  goawayFrame,
  pingFrame,
  rstStreamFrame,
  SETTINGS_ACK,
  settingsFrame,
  windowUpdateFrame,
} from './frames.ts';
import { encodeHeaders } from './hpack/encode.ts';
import { ERROR, FLAG, FRAME, PREFACE, SETTING } from './protocol.ts';
import { body, headers, Peer, REQUEST, type SentFrame } from './testing/peer.ts';

const goaway = (frames: readonly SentFrame[]) => frames.find(({ type }) => type === FRAME.goaway);
const codeOf = (frames: readonly SentFrame[]) => goaway(frames)?.payload.readUInt32BE(4);
const resets = (frames: readonly SentFrame[]) =>
  frames.filter(({ type }) => type === FRAME.rstStream).map(({ stream, payload }) => [stream, payload.readUInt32BE(0)]);
const ofType = (frames: readonly SentFrame[], type: number) => frames.filter((sent) => sent.type === type);
const HEAD = encodeHeaders([{ name: ':status', value: '200' }]);
const END = encodeHeaders([{ name: 'grpc-status', value: '0' }]);
const WHOLE = FLAG.endHeaders | FLAG.endStream;

test('greets with its settings, and takes those of the peer', async () => {
  const peer = new Peer().greet();
  const frames = await peer.frames();
  expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
    [FRAME.settings, 0],
    [FRAME.windowUpdate, 0],
    [FRAME.settings, FLAG.ack],
  ]);
  expect(peer.connection.unfinished).toBe(false);
});

test('a request goes to its user as it came, however it is cut', () => {
  const bytes = Buffer.concat([
    PREFACE,
    settingsFrame([]),
    headers(1),
    body(1, 'hello '),
    body(1, 'world', FLAG.endStream),
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }), (cuts) => {
      const peer = new Peer();
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      for (const [i, end] of places.slice(1).entries()) peer.send(bytes.subarray(places[i], end));
      expect(peer.seen.map(({ body: sent, ended }) => [sent.toString(), ended])).toEqual([['hello world', true]]);
    }),
  );
});

test('padding and priorities are left out', () => {
  const padded = frame(
    FRAME.headers,
    FLAG.endHeaders | FLAG.padded | FLAG.priority,
    1,
    Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 9]), REQUEST, Buffer.alloc(3)]),
  );
  const data = frame(FRAME.data, FLAG.padded | FLAG.endStream, 1, Buffer.from([2, 104, 105, 0, 0]));
  const peer = new Peer().greet(padded, data);
  expect(peer.seen.map(({ body: sent, ended, fields }) => [sent.toString(), ended, fields.length])).toEqual([
    ['hi', true, 4],
  ]);
});

test('a header block in pieces is one block, and trailers end a request', () => {
  const pieces = [
    frame(FRAME.headers, 0, 1, REQUEST.subarray(0, 5)),
    frame(FRAME.continuation, 0, 1, REQUEST.subarray(5, 9)),
    frame(FRAME.continuation, FLAG.endHeaders, 1, REQUEST.subarray(9)),
  ];
  const peer = new Peer().greet(...pieces, body(1, 'x'), headers(1, WHOLE, END));
  expect(peer.seen.map(({ fields, ended }) => [fields.length, ended])).toEqual([[4, true]]);
});

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const connectionFaults: readonly [string, readonly Uint8Array[], number][] = [
  ['a frame larger than was allowed', [Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])], ERROR.frameSize],
  ['a request on an even stream', [headers(2)], ERROR.protocol],
  ['a request on stream 0', [headers(0)], ERROR.protocol],
  ['DATA on stream 0', [body(0, 'x')], ERROR.protocol],
  ['DATA on a stream that was never opened', [body(1, 'x')], ERROR.protocol],
  ['RST_STREAM on stream 0', [rstStreamFrame(0, 8)], ERROR.protocol],
  ['RST_STREAM on a stream that was never opened', [rstStreamFrame(5, 8)], ERROR.protocol],
  ['RST_STREAM of three bytes', [headers(1), frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))], ERROR.frameSize],
  ['PING of seven bytes', [frame(FRAME.ping, 0, 0, Buffer.alloc(7))], ERROR.frameSize],
  ['PING on a stream', [frame(FRAME.ping, 0, 1, Buffer.alloc(8))], ERROR.protocol],
  ['SETTINGS on a stream', [frame(FRAME.settings, 0, 1, Buffer.alloc(0))], ERROR.protocol],
  ['SETTINGS of five bytes', [frame(FRAME.settings, 0, 0, Buffer.alloc(5))], ERROR.frameSize],
  ['an acknowledgement with contents', [frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6))], ERROR.frameSize],
  ['a window setting that is too wide', [settingsFrame([[SETTING.initialWindowSize, 2 ** 31]])], ERROR.flowControl],
  ['a frame size below the least', [settingsFrame([[SETTING.maxFrameSize, 100]])], ERROR.protocol],
  ['a push setting of 2', [settingsFrame([[SETTING.enablePush, 2]])], ERROR.protocol],
  ['WINDOW_UPDATE of 0', [windowUpdateFrame(0, 0)], ERROR.protocol],
  ['WINDOW_UPDATE of three bytes', [frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))], ERROR.frameSize],
  ['WINDOW_UPDATE beyond the widest window', [windowUpdateFrame(0, 2 ** 31 - 1)], ERROR.flowControl],
  ['WINDOW_UPDATE of a stream that was never opened', [windowUpdateFrame(7, 1)], ERROR.protocol],
  ['a push', [frame(FRAME.pushPromise, 0, 1, word(2))], ERROR.protocol],
  ['GOAWAY on a stream', [frame(FRAME.goaway, 0, 1, Buffer.alloc(8))], ERROR.protocol],
  ['CONTINUATION of nothing', [frame(FRAME.continuation, FLAG.endHeaders, 1, REQUEST)], ERROR.protocol],
  ['a header block that is interrupted', [headers(1, 0), pingFrame(0, Buffer.alloc(8))], ERROR.protocol],
  ['a header block that goes on elsewhere', [headers(1, 0), frame(FRAME.continuation, 4, 3, REQUEST)], ERROR.protocol],
  ['DATA inside a header block', [headers(1, 0), body(1, 'x')], ERROR.protocol],
  ['a block that cannot be read', [headers(1, FLAG.endHeaders, Buffer.from([0x80]))], ERROR.compression],
  ['more padding than frame', [frame(FRAME.headers, FLAG.padded | 4, 1, Buffer.from([200, 1, 2]))], ERROR.protocol],
  ['more padding than DATA', [headers(1), frame(FRAME.data, FLAG.padded, 1, Buffer.from([9, 1]))], ERROR.protocol],
  ['padding without its length', [headers(1), frame(FRAME.data, FLAG.padded, 1, Buffer.alloc(0))], ERROR.protocol],
  [
    'a header block without end',
    [headers(1, 0), ...Array.from({ length: 20 }, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(0)))],
    ERROR.enhanceYourCalm,
  ],
  [
    'a header block that is too long',
    [headers(1, 0), ...Array.from({ length: 5 }, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(16_384)))],
    ERROR.enhanceYourCalm,
  ],
];

test.each(connectionFaults)('%s ends the connection', async (_what, frames, code) => {
  const peer = new Peer().greet(...frames);
  expect(codeOf(await peer.frames())).toBe(code);
  expect([peer.ended, peer.connection.closed, peer.failures]).toEqual([true, true, []]);
  peer.send(headers(99));
  expect(await peer.frames()).toEqual([]);
});

test.each([
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
  ['no SETTINGS first', Buffer.concat([PREFACE, pingFrame(0, Buffer.alloc(8))])],
  ['an acknowledgement first', Buffer.concat([PREFACE, SETTINGS_ACK])],
])('%s is no greeting', async (_what, bytes) => {
  const peer = new Peer().send(bytes);
  expect([codeOf(await peer.frames()), peer.ended]).toEqual([ERROR.protocol, true]);
});

const streamFaults: readonly [string, readonly Uint8Array[], number][] = [
  ['DATA after the end', [headers(1, WHOLE), body(1, 'x')], ERROR.streamClosed],
  ['HEADERS after the end', [headers(1, WHOLE), headers(1, WHOLE, END)], ERROR.streamClosed],
  ['HEADERS in the middle', [headers(1), headers(1, FLAG.endHeaders, END)], ERROR.protocol],
  ['WINDOW_UPDATE of 0', [headers(1), windowUpdateFrame(1, 0)], ERROR.protocol],
  ['a window that is too wide', [headers(1), windowUpdateFrame(1, 2 ** 31 - 1)], ERROR.flowControl],
];

test.each(streamFaults)('%s ends its stream and no other', async (_what, frames, code) => {
  const peer = new Peer().greet(...frames, headers(3, WHOLE));
  expect(resets(await peer.frames())).toEqual([[1, code]]);
  expect(peer.seen.map(({ gone }) => gone)).toEqual([true, false]);
  expect(peer.connection.closed).toBe(false);
});

test('more DATA than a window holds ends the stream, more than that of the connection ends the connection', async () => {
  const peer = new Peer({ streamWindow: 20_000, connectionWindow: 100_000 }).greet(
    headers(1),
    body(1, Buffer.alloc(16_384)),
    body(1, Buffer.alloc(16_384)),
  );
  expect(resets(await peer.frames())).toEqual([[1, ERROR.flowControl]]);
  const other = new Peer({ streamWindow: 1_000_000, connectionWindow: 65_535 }).greet(headers(1));
  for (let i = 0; i < 3; i++) other.send(body(1, Buffer.alloc(16_384)));
  expect(ofType(await other.frames(), FRAME.windowUpdate).map(({ stream }) => stream)).toContain(0);
  expect(other.connection.closed).toBe(false);
});

test('one stream more than was allowed is refused unread, and may come again', async () => {
  const peer = new Peer({ maxStreams: 2 }).greet(headers(1), headers(3), headers(5));
  expect(resets(await peer.frames())).toEqual([[5, ERROR.refusedStream]]);
  peer.seen[0]?.stream.send(undefined, undefined, END);
  peer.send(headers(7));
  expect(peer.seen.map(({ stream }) => stream.id)).toEqual([1, 3, 7]);
});

describe('an answer', () => {
  test('goes out whole, in one write', async () => {
    const peer = new Peer().greet(headers(1, WHOLE));
    await peer.frames();
    const [seen] = peer.seen;
    const room = seen?.stream.roomForWhole(HEAD, 5, END) as Buffer;
    room.write('hello', 18 + HEAD.length);
    seen?.stream.sendWhole(room);
    const frames = await peer.frames();
    expect(frames.map(({ type, flags, stream }) => [type, flags, stream])).toEqual([
      [FRAME.headers, FLAG.endHeaders, 1],
      [FRAME.data, 0, 1],
      [FRAME.headers, WHOLE, 1],
    ]);
    expect(frames[1]?.payload.toString()).toBe('hello');
    expect(peer.connection.openStreams).toBe(0);
  });

  test('keeps to the windows of stream and connection and goes on as they widen', async () => {
    const peer = new Peer().send(PREFACE, settingsFrame([[SETTING.initialWindowSize, 10]]), headers(1, WHOLE));
    const [seen] = peer.seen;
    expect(seen?.stream.roomForWhole(HEAD, 11, END)).toBeUndefined();
    seen?.stream.send(HEAD, Buffer.from('0123456789abcdefghij'), END);
    const texts = async () => ofType(await peer.frames(), FRAME.data).map(({ payload }) => payload.toString());
    expect(await texts()).toEqual(['0123456789']);
    peer.send(windowUpdateFrame(1, 3));
    expect(await texts()).toEqual(['abc']);
    peer.send(settingsFrame([[SETTING.initialWindowSize, 12]]));
    expect(await texts()).toEqual(['de']);
    peer.send(settingsFrame([[SETTING.initialWindowSize, 0]]), windowUpdateFrame(1, 12));
    expect(await texts()).toEqual([]);
    peer.send(windowUpdateFrame(1, 100));
    const frames = await peer.frames();
    expect(frames.map(({ type }) => type)).toEqual([FRAME.data, FRAME.headers]);
    expect(frames[0]?.payload.toString()).toBe('fghij');
  });

  test('takes turns with others, a frame each, and waits for the transport', async () => {
    const peer = new Peer().send(
      PREFACE,
      settingsFrame([[SETTING.initialWindowSize, 2 ** 20]]),
      windowUpdateFrame(0, 2 ** 20),
      headers(1, WHOLE),
      headers(3, WHOLE),
    );
    await peer.frames();
    peer.takes = false;
    for (const { stream } of peer.seen) stream.send(HEAD, Buffer.alloc(400_000), END);
    const before = ofType(await peer.frames(), FRAME.data).length;
    expect(before).toBeLessThan(40);
    expect(peer.connection.stuck).toBe(true);
    peer.takes = true;
    peer.connection.unblocked();
    const data = ofType(await peer.frames(), FRAME.data);
    expect(before + data.length).toBe(50);
    expect(new Set(data.slice(0, 8).map(({ stream }) => stream))).toEqual(new Set([1, 3]));
  });

  test('that is not read keeps new streams out when there are too many bytes of it', async () => {
    const peer = new Peer().send(PREFACE, settingsFrame([[SETTING.initialWindowSize, 0]]), headers(1, WHOLE));
    await peer.frames();
    peer.seen[0]?.stream.send(HEAD, Buffer.alloc(65 * 1024 * 1024), END);
    peer.send(headers(3, WHOLE));
    expect(resets(await peer.frames())).toEqual([[3, ERROR.refusedStream]]);
  });

  test('that comes before the end of the request tells the peer to stop', async () => {
    const peer = new Peer().greet(headers(1));
    await peer.frames();
    peer.seen[0]?.stream.send(undefined, undefined, END);
    const frames = await peer.frames();
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      [FRAME.headers, WHOLE],
      [FRAME.rstStream, 0],
    ]);
    peer.send(body(1, 'late', FLAG.endStream));
    expect([codeOf(await peer.frames()), peer.seen[0]?.body.length]).toEqual([undefined, 0]);
  });
});

describe('floods', () => {
  const floods: readonly [string, (i: number) => Uint8Array][] = [
    ['pings', () => pingFrame(0, Buffer.alloc(8))],
    ['settings', () => settingsFrame([])],
    ['resets', (i) => Buffer.concat([headers(2 * i + 3, WHOLE), rstStreamFrame(2 * i + 3, 8)])],
    ['empty DATA', () => body(1, '')],
    ['priorities', () => frame(FRAME.priority, 0, 1, Buffer.alloc(5))],
    ['unknown frames', () => frame(77, 0, 1, Buffer.alloc(1))],
    ['window updates', () => windowUpdateFrame(1, 1)],
  ];
  test.each(floods)('of %s end the connection', async (_what, next) => {
    const peer = new Peer().greet(headers(1));
    for (let i = 0; i < 20_000 && !peer.connection.closed; i++) peer.send(next(i));
    expect(codeOf(await peer.frames())).toBe(ERROR.enhanceYourCalm);
  });

  test('of pings whose answers nobody reads end sooner', async () => {
    const peer = new Peer().greet();
    peer.takes = false;
    peer.unsent = 2 ** 20;
    await peer.frames();
    peer.send(...Array.from({ length: 3 }, () => pingFrame(0, Buffer.alloc(8))));
    await peer.frames();
    peer.send(pingFrame(0, Buffer.alloc(8)));
    expect(peer.connection.closed).toBe(true);
  });

  test('do not count what gets answers: eighty thousand honest frames pass', async () => {
    const peer = new Peer().greet();
    for (let i = 0; i < 20_000; i++) {
      peer.send(
        headers(2 * i + 1),
        body(2 * i + 1, 'x', FLAG.endStream),
        pingFrame(0, Buffer.alloc(8)),
        windowUpdateFrame(0, 1),
      );
      peer.seen.pop()?.stream.send(undefined, undefined, END);
      if (i % 500 === 0) await peer.frames();
    }
    expect(peer.connection.closed).toBe(false);
  });
});

test('one stream may go on for ever, with all that clients send between its messages', async () => {
  const peer = new Peer().greet(headers(1));
  for (let i = 0; i < 20_000; i++) {
    peer.send(body(1, 'question'), pingFrame(0, Buffer.alloc(8)), windowUpdateFrame(0, 6), windowUpdateFrame(1, 6));
    peer.seen[0]?.stream.send(undefined, Buffer.from('answer'), undefined);
    if (i % 1000 === 0) {
      await peer.frames();
      peer.seen[0]?.stream.grant(8000);
    }
  }
  expect(peer.connection.closed).toBe(false);
});

test('a drained connection answers what came before the peer knew, and nothing after', async () => {
  const peer = new Peer().greet(headers(1, WHOLE));
  await peer.frames();
  peer.connection.drain();
  const first = await peer.frames();
  expect(goaway(first)?.payload.readUInt32BE(0)).toBe(2 ** 31 - 1);
  peer.send(headers(3, WHOLE));
  peer.send(pingFrame(FLAG.ack, ofType(first, FRAME.ping)[0]?.payload as Buffer));
  expect(goaway(await peer.frames())?.payload.readUInt32BE(0)).toBe(3);
  peer.send(headers(5), windowUpdateFrame(5, 9), body(5, 'x'), rstStreamFrame(5, ERROR.cancel));
  expect(peer.connection.closed).toBe(false);
  expect(peer.seen.map(({ stream }) => stream.id)).toEqual([1, 3]);
  for (const { stream } of peer.seen) {
    expect(peer.ended).toBe(false);
    stream.send(undefined, undefined, END);
  }
  expect(peer.ended).toBe(true);
});

test('a peer that says goodbye is answered, and the connection ends', async () => {
  const peer = new Peer().greet(headers(1, WHOLE), goawayFrame(0));
  peer.seen[0]?.stream.send(undefined, undefined, END);
  expect(ofType(await peer.frames(), FRAME.headers).length).toBe(1);
  expect([peer.ended, peer.seen[0]?.gone]).toEqual([true, false]);
});

test('a lost connection takes its streams along', () => {
  const peer = new Peer().greet(headers(1), headers(3, WHOLE));
  peer.connection.lost();
  expect(peer.seen.map(({ gone }) => gone)).toEqual([true, true]);
  peer.seen[0]?.stream.send(undefined, undefined, END);
  peer.seen[1]?.stream.reset(ERROR.cancel);
});
