import type { Socket } from 'node:net';
import { describe } from 'vitest';
import { GOOD, INFER, refuseEach } from './testing/refusals.ts';
import { get, post, requestOf } from './testing/socket.ts';

const BODY = JSON.stringify(GOOD);
const raw = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
const nothingHere = /^There is nothing at this path; a model answers at \/v2\/models\/<name>\/infer/;
const noSuchModel = /^There is no model ".*" here; this server has "mirror" and "words"\.$/s;
const invalid = 'This is not a valid HTTP request.';

describe('a path', () => {
  const lost = (what: string, path: string) => ({ what, send: post(path, GOOD), status: 404, error: nothingHere });
  const unknown = (what: string, path: string) => ({ what, send: post(path, GOOD), status: 404, error: noSuchModel });
  refuseEach([
    lost('that leads nowhere', '/nowhere'),
    lost('with a verb that is none', '/v2/models/mirror/predict'),
    lost('in capitals', '/V2/models/mirror/infer'),
    lost('with a double slash in front', '//v2/models/mirror/infer'),
    lost('with a double slash inside', '/v2/models//mirror/infer'),
    lost('with two slashes behind', '/v2/models/mirror/infer//'),
    lost('without a model', '/v2/models//infer'),
    lost('with dots', '/v2/models/mirror/../../../etc/passwd'),
    lost('that names a member of every object', '/__proto__'),
    lost('in absolute form to nowhere', 'http://elsewhere/etc/passwd'),
    lost('of a version without a name', '/v2/models/mirror/versions//infer'),
    unknown('of a model that is not here', '/v2/models/other/infer'),
    unknown('of a model in other letters', '/v2/models/Mirror/infer'),
    unknown('with dots that are escaped', '/v2/models/..%2f..%2fetc%2fpasswd/infer'),
    unknown('with a NUL that is escaped', '/v2/models/mirror%00/infer'),
    unknown('with a line break that is escaped', '/v2/models/mirror%0d%0aX-Evil:%201/infer'),
    unknown('with an escape that is broken', '/v2/models/%zz/infer'),
    unknown('with a very long name', `/v2/models/${'m'.repeat(10_000)}/infer`),
    unknown('of V1 with a model that is not here', '/v1/models/other:predict'),
    {
      what: 'of a version that is not here',
      send: post('/v2/models/mirror/versions/7/infer', GOOD),
      status: 404,
      error: 'There is no version "7" of "mirror" here, only "1".',
    },
    {
      what: 'of a version that climbs',
      send: get('/v2/models/mirror/versions/..%2f1'),
      status: 404,
      error: 'There is no version "../1" of "mirror" here, only "1".',
    },
  ]);
});

describe('a method', () => {
  const wrong = (method: string, path: string, allow: string) => ({
    what: `${method} ${path}`,
    send: requestOf(method, path),
    status: 405,
    error: `Use ${allow.split(',')[0]} here, not ${method}.`,
    headers: { allow },
  });
  refuseEach([
    wrong('GET', INFER, 'POST'),
    wrong('PUT', INFER, 'POST'),
    wrong('DELETE', '/v2/models/mirror', 'GET, HEAD'),
    wrong('OPTIONS', INFER, 'POST'),
    wrong('PATCH', '/v2', 'GET, HEAD'),
    wrong('POST', '/v2/health/ready', 'GET, HEAD'),
    wrong('GET', '/v2/repository/index', 'POST'),
    wrong('GET', '/slipway/v1/feedback', 'POST'),
    wrong('GET', '/v1/models/mirror:predict', 'POST'),
    {
      what: 'CONNECT',
      send: raw('CONNECT elsewhere:443 HTTP/1.1\nHost: elsewhere\n\n'),
      status: 405,
      error: 'This server is no proxy.',
      headers: { connection: 'close' },
    },
    { what: 'a body with GET', send: requestOf('GET', '/v2', 'body'), status: 400, error: 'Send no body with GET.' },
  ]);
});

describe('what is no HTTP', () => {
  const garbage = (what: string, text: string, error = invalid, status = 400) => ({
    what,
    send: raw(text),
    status,
    error,
  });
  refuseEach([
    garbage('garbage', 'hello\n\n'),
    garbage('a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
    garbage('HTTP/2 without asking', 'PRI * HTTP/2.0\n\nSM\n\n'),
    garbage('a method that is none', `BREW ${INFER} HTTP/1.1\nHost: t\n\n`),
    garbage('a version that is none', 'GET /v2 HTTP/9.9\nHost: t\n\n'),
    garbage('a space in the path', 'GET /v2 /models HTTP/1.1\nHost: t\n\n'),
    garbage('a header without a colon', 'GET /v2 HTTP/1.1\nHost t\n\n'),
    garbage('a folded header', 'GET /v2 HTTP/1.1\nHost: t\nA: b\n c\n\n'),
    garbage('a NUL in a header', 'GET /v2 HTTP/1.1\nHost: t\nA: b\0c\n\n'),
    garbage('two lengths', `POST ${INFER} HTTP/1.1\nHost: t\nContent-Length: 1\nContent-Length: 2\n\n{}`),
    garbage('a negative length', `POST ${INFER} HTTP/1.1\nHost: t\nContent-Length: -1\n\n{}`),
    garbage('a length in words', `POST ${INFER} HTTP/1.1\nHost: t\nContent-Length: two\n\n{}`),
    garbage(
      'a length and chunks: a way to smuggle',
      `POST ${INFER} HTTP/1.1\nHost: t\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n`,
    ),
    garbage(
      'chunks inside of something',
      `POST ${INFER} HTTP/1.1\nHost: t\nTransfer-Encoding: chunked, identity\n\n0\n\n`,
    ),
    garbage('no host', 'GET /v2 HTTP/1.1\n\n', 'Send a Host header.'),
    garbage('two hosts', 'GET /v2 HTTP/1.1\nHost: t\nhost: u\n\n', 'Send one Host header.'),
    garbage('one host twice', 'GET /v2 HTTP/1.0\nHost: t\nHost: t\n\n', 'Send one Host header.'),
    garbage(
      'a header of 20 kB',
      `GET /v2 HTTP/1.1\nHost: t\nA: ${'x'.repeat(20_000)}\n\n`,
      'The header may have 16384 bytes at most.',
      431,
    ),
    garbage(
      'a thousand headers',
      `GET /v2 HTTP/1.1\nHost: t\n${Array.from({ length: 1000 }, (_, i) => `header-number-${i}: 1\n`).join('')}\n`,
      'The header may have 16384 bytes at most.',
      431,
    ),
    garbage(
      'a target of 20 kB',
      `GET /v2?${'x'.repeat(20_000)} HTTP/1.1\nHost: t\n\n`,
      'The header may have 16384 bytes at most.',
      431,
    ),
  ]);
});

/** Each with a good question behind it, which another server between may have taken for a part of the body. */
describe('a transfer coding that this server does not undo', () => {
  const unknown = 'Send no Transfer-Encoding but "chunked"; pack a body by Content-Encoding.';
  const tooOld = 'HTTP/1.0 has no Transfer-Encoding; send the Content-Length of the body.';
  const coded = (what: string, coding: string, error = unknown, status = 501, version = '1.1') => ({
    what,
    send: Buffer.concat([
      raw(`POST ${INFER} HTTP/${version}\nHost: t\nConnection: keep-alive\n${coding}\n\n2\n{}\n0\n\n`),
      post(INFER, GOOD),
    ]),
    status,
    error,
    headers: { connection: 'close' },
  });
  refuseEach([
    coded('unknown, then chunked', 'Transfer-Encoding: x, chunked'),
    coded('packed, then chunked', 'Transfer-Encoding: gzip, chunked'),
    coded('in two headers', 'Transfer-Encoding: x\nTransfer-Encoding: chunked'),
    coded('chunked in HTTP/1.0', 'Transfer-Encoding: chunked', tooOld, 400, '1.0'),
  ]);
});

describe('chunks', () => {
  const chunked = (what: string, chunks: string) => ({
    what,
    send: raw(`POST ${INFER} HTTP/1.1\nHost: t\nTransfer-Encoding: chunked\n\n${chunks}`),
    status: 400,
    error: invalid,
    counted: 'clientError' as const,
  });
  refuseEach([
    chunked('of a size that is no number', 'zz\n{}\n0\n\n'),
    chunked('of a size below zero', '-1\n{}\n0\n\n'),
    chunked('longer than they say', '1\n{}\n0\n\n'),
    chunked('of a size beyond all numbers', 'fffffffffffffffff\n{}\n'),
  ]);
});

describe('a request that ends in its middle', () => {
  const ended = (what: string, text: string | Buffer) => ({
    what,
    send: (socket: Socket) => void socket.end(text),
    status: 400,
    error: 'The request ended in its middle.',
    counted: 'clientError' as const,
  });
  refuseEach([
    ended('with a body shorter than its length', post(INFER, BODY, { 'content-length': String(BODY.length + 1) })),
    ended('between two chunks', raw(`POST ${INFER} HTTP/1.1\nHost: t\nTransfer-Encoding: chunked\n\n2\n{}\n`)),
    { ...ended('in its header', raw('GET /v2 HTTP/1.1\nHost: t\n')), counted: undefined },
  ]);
});

describe('bytes that come too slowly, or never', () => {
  const limits = { headersTimeoutMs: 100, bodyTimeoutMs: 200 };
  const late = 'A header must be here within 100 ms, a request in 200 ms.';
  const drip = (text: string) => (socket: Socket) => {
    const bytes = Buffer.from(text);
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 20);
    socket.on('close', () => clearInterval(timer));
    socket.on('error', () => clearInterval(timer));
  };
  refuseEach(
    [
      { what: 'a header, byte by byte', send: drip(`POST ${INFER} HTTP/1.1\r\nHost: t\r\n`), status: 408, error: late },
      { what: 'nothing at all', send: Buffer.alloc(0), status: 408, error: late },
      { what: 'half a header', send: raw('GET /v2 HTTP/1.1\nHost: t\n'), status: 408, error: late },
      {
        what: 'half a body',
        send: post(INFER, BODY, { 'content-length': String(BODY.length * 2) }),
        status: 408,
        error: late,
        counted: 'clientError',
      },
      {
        what: 'no body',
        send: raw(`POST ${INFER} HTTP/1.1\nHost: t\nContent-Length: 10\n\n`),
        status: 408,
        error: late,
        counted: 'clientError',
      },
      {
        what: 'chunks without an end',
        send: raw(`POST ${INFER} HTTP/1.1\nHost: t\nTransfer-Encoding: chunked\n\n2\n{}\n`),
        status: 408,
        error: late,
        counted: 'clientError',
      },
    ],
    { limits },
  );
});
