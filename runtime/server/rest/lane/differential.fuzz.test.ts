import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { talkTo } from '../testing/conversation.ts';
import { mirror, openTestModel, type TestModel } from '../testing/models.ts';
import { prompt } from '../testing/prompt.ts';
import { GOOD, INFER } from '../testing/refusals.ts';
import { serving } from '../testing/serving.ts';
import { post } from '../testing/socket.ts';

const models: TestModel[] = [];
beforeAll(async () => void models.push(await openTestModel(mirror), await openTestModel(mirror)));
afterAll(() => Promise.all(models.map(({ close }) => close())));

const RUNS = 400;
const AT_ONCE = 20;

const BODY = JSON.stringify({ id: 'a', ...GOOD });

/** Headers that a lane may read, must not read, or must not read as somebody else would. */
const LINES = [
  'Host: t',
  'host:t',
  'HOST: \t t \t ',
  'Host:',
  'Connection: keep-alive',
  'Connection: Keep-Alive',
  'Connection: close',
  'Connection: upgrade',
  'Connection: close, keep-alive',
  'Content-Type: application/json',
  'Accept-Encoding: gzip',
  'X-Request-Id: a b',
  'x-request-id:',
  'X-Request-Id: again',
  'X_Odd: 1',
  '1: one',
  'constructor: c',
  '__proto__: p',
  'Cookie: a=b',
  'Set-Cookie: a=b',
  'Accept: */*',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Slipway-Timeout-Ms: 50',
  'Slipway-Timeout-Ms: soon',
  'Inference-Header-Content-Length: 5',
  'Inference-Header-Content-Length: x',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Content-Encoding: gzip',
  'Content-Encoding: identity',
  'Expect: 100-continue',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'TE: trailers',
  'Trailer: a',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: close',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length : 5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  ' folded',
  'A: b\0c',
  'A: b\x7fc',
  'A: b\rc',
  'A: \xe9',
  ': nameless',
  'colonless',
  '',
  `Long: ${'x'.repeat(5000)}`,
] as const;

const TARGETS = [
  `${INFER}?a=b`,
  `${INFER}/`,
  `${INFER}#a`,
  '/v2/models/mirror/versions/1/infer',
  '/v2/models/mirror/versions/2/infer',
  '/v2/models/%6dirror/infer',
  '/v1/models/mirror:predict',
  '/v2/models/other/infer',
  '/v2/models/mirror',
  '/v2',
  '/',
  '*',
  `http://t${INFER}`,
  `/${'x'.repeat(5000)}`,
  '/v2/models/\xe9/infer',
];

const BODIES = [BODY, BODY, BODY, JSON.stringify(GOOD), '{}', '{', '{"instances":[]}', '{"id":"\xfc"}', ''];

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const request = fc
  .record({
    method: mostly('POST', 'GET', 'PUT', 'HEAD', 'post', 'CONNECT', 'PRI'),
    target: fc.oneof(
      { weight: 2, arbitrary: fc.constant(INFER) },
      { weight: 1, arbitrary: fc.constantFrom(...TARGETS) },
    ),
    version: mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 '),
    newline: mostly('\r\n', '\n', '\r'),
    lead: mostly('', '\r\n', ' '),
    host: mostly(true, false),
    lines: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...LINES), { maxLength: 3 }) },
    ),
    body: fc.constantFrom(...BODIES),
    length: mostly('right', 'long', 'short', 'none', 'zeros', 'huge'),
  })
  .map(({ method, target, version, newline, lead, host, lines, body, length }) => {
    const lengths = { right: 0, long: 1, short: -1, none: 0, zeros: 0, huge: 1_000_000 };
    const bytes = Math.max(0, body.length + lengths[length as keyof typeof lengths]);
    const sized = length === 'none' ? [] : [`Content-Length: ${length === 'zeros' ? '00' : ''}${bytes}`];
    const all = [`${method} ${target} ${version}`, ...(host ? ['Host: t'] : []), ...lines, ...sized, '', body];
    return lead + all.join(newline);
  });

const mutation = fc.record({
  at: fc.nat(),
  drop: fc.nat({ max: 3 }),
  put: fc.string({ unit: 'binary', maxLength: 2 }),
});

/** What one caller sends, in the pieces in which it comes. */
const stream = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    mutations: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(mutation, { maxLength: 2 }) },
    ),
    alone: fc.boolean(),
    cuts: fc.array(fc.nat(), { maxLength: 3 }),
  })
  .map(({ requests, mutations, alone, cuts }) => {
    let text = requests.join('');
    for (const { at, drop, put } of mutations) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + put + text.slice(place + drop);
    }
    const ends = requests.map((_, i) => requests.slice(0, i + 1).join('').length);
    const places = [...(alone ? ends : []), ...cuts.map((cut) => cut % (text.length + 1))].sort((a, b) => a - b);
    return [0, ...places].map((from, i) => text.slice(from, places[i])).filter((piece) => piece !== '');
  });

/** Both servers, a way to say the same to both, and how many more requests node:http has read where there is no lane. */
async function pair() {
  const [one, other] = models.map(({ model }) => prompt(model));
  const fast = await serving([one as NonNullable<typeof one>], { fastLane: true });
  const slow = await serving([other as NonNullable<typeof other>], { fastLane: false });
  const read = { byLane: 0 };
  fast.server.on('request', () => {
    read.byLane -= 1;
  });
  slow.server.on('request', () => {
    read.byLane += 1;
  });
  const [toFast, toSlow] = [talkTo(fast.server), talkTo(slow.server)];
  const say = (pieces: readonly string[]) => {
    const bytes = pieces.map((piece) => Buffer.from(piece, 'latin1'));
    return Promise.all([toFast(bytes), toSlow(bytes)]);
  };
  return { fast, slow, say, read };
}

const undated = (answers: string): string => answers.replace(/Date: [^\r]*/g, 'Date: now');

/** Answers without what they say of the connection, and without the refusal of what was no request (it has no date). */
const lastWordsAside = (answers: string): string =>
  answers
    .replace(/HTTP\/1\.1 4\d\d [^\r]*\r\n(?:(?!Date)[^\r]+\r\n)+\r\n\{[^}]*\}$/, '')
    .replace(/^(?:connection|keep-alive): .*\r\n/gim, '');

/**
 * Where garbage comes together with questions, node:http finds it before it answers them or after: that hangs on how much
 * it reads in one go. Then the connection ends, with fewer answers or more; none is another than it would be.
 */
const agree = (one: string, other: string): boolean => {
  const [short = '', long = ''] = [one, other].map(lastWordsAside).sort((a, b) => a.length - b.length);
  return long.startsWith(short);
};

const counts = () => models.map(({ model }) => model.evidence.counts().requests);

const goodIn = (answers: string): number => answers.split('HTTP/1.1 200').length - 1;

interface Heard {
  /** Answers without a fault. */
  readonly good: number;
  readonly goodOfNode: number;
  readonly same: boolean;
}

async function expectAgreed({ say }: Awaited<ReturnType<typeof pair>>, pieces: readonly string[]): Promise<Heard> {
  const [lane = '', node = ''] = (await say(pieces)).map(undated);
  if (!agree(lane, node)) expect(lane, JSON.stringify(pieces)).toBe(node);
  return { good: goodIn(lane), goodOfNode: goodIn(node), same: lane === node };
}

const QUESTION = post(INFER, BODY).toString('latin1');
const ENDING = post(INFER, BODY, { connection: 'close' }).toString('latin1');
const ready = 'GET /v2/health/ready HTTP/1.1\r\nHost: t\r\n\r\n';
const apart = (request: string): readonly string[] => {
  const head = request.indexOf('\r\n\r\n') + 4;
  return [request.slice(0, head), request.slice(head)];
};

/** A question with a second one in its body, which a reader finds who reads these headers otherwise. */
const smuggled = (...lines: readonly string[]): string =>
  [`POST ${INFER} HTTP/1.1`, 'Host: t', ...lines, '', `0\r\n\r\n${QUESTION}`].join('\r\n');

/** What once went wrong, or is how others were fooled. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  'one question': [QUESTION],
  'one question after the other': [QUESTION, QUESTION, QUESTION],
  'several in one piece': [QUESTION + QUESTION + QUESTION],
  'a head in two pieces': [QUESTION.slice(0, 30), QUESTION.slice(30)],
  'head and body apart, as most clients of Python send them': [...apart(QUESTION), ...apart(QUESTION)],
  'a body in three pieces': [QUESTION.slice(0, -60), QUESTION.slice(-60, -20), QUESTION.slice(-20)],
  'a body and the next question in one piece': [QUESTION.slice(0, -5), QUESTION.slice(-5) + QUESTION],
  'a body that ends in its middle': [QUESTION.slice(0, -5)],
  'a head that ends in its middle': [QUESTION.slice(0, 30)],
  'a question, then garbage': [QUESTION, 'garbage\r\n\r\n'],
  'a question that ends the connection, then another': [ENDING, QUESTION],
  'a question between others that are not for a model': [ready, QUESTION, ready, QUESTION],
  'a length and chunks': [smuggled('Content-Length: 4', 'Transfer-Encoding: chunked')],
  'chunks in disguise': [smuggled('Content-Length: 4', 'Transfer-Encoding : chunked')],
  'chunks behind a line feed alone': [smuggled('Content-Length: 4', 'A: b\nTransfer-Encoding: chunked')],
  'chunks on a folded line': [smuggled('Content-Length: 4', 'A: b', ' Transfer-Encoding: chunked')],
  'two lengths': [smuggled('Content-Length: 4', 'Content-Length: 40')],
  'two lengths that are equal': [smuggled('Content-Length: 4', 'Content-Length: 4')],
  'a length that is a list': [smuggled('Content-Length: 4, 4')],
  'a length with a sign': [smuggled('Content-Length: +4')],
  'two hosts': [smuggled('Content-Length: 4', 'Host: u')],
  'no host': [QUESTION.replace('host: test\r\n', '')],
  'a proxy asked for behind a bad question': [
    `${post(INFER, '{').toString('latin1')}CONNECT a:1 HTTP/1.1\r\nHost: t\r\n\r\n`,
  ],
};

test.each(Object.entries(KEPT))('the lane answers as node:http: %s', async (_name, pieces) => {
  const { good, goodOfNode } = await expectAgreed(await pair(), pieces);
  expect(good).toBe(goodOfNode);
  const [fast, slow] = counts();
  expect(fast).toEqual(slow);
});

test('whatever comes in whatever pieces, the lane answers as node:http', async () => {
  const servers = await pair();
  const streams = fc.sample(stream, RUNS);
  const heard: Heard[] = [];
  for (let at = 0; at < streams.length; at += AT_ONCE) {
    heard.push(...(await Promise.all(streams.slice(at, at + AT_ONCE).map((pieces) => expectAgreed(servers, pieces)))));
  }
  const [fast, slow] = counts();
  expect(fast).toEqual(slow);
  const share = (count: number) => count / RUNS;
  expect(share(heard.filter(({ same }) => same).length), 'to the byte').toBeGreaterThan(0.9);
  expect(share(servers.read.byLane), 'read by the lane').toBeGreaterThan(0.1);
});
