import { describe, expect, test } from 'vitest';
import { beginsWith, MOST_HEAD, type PlainHead, plainHeadIn } from './plainHead.ts';

const head = (...lines: readonly string[]): Buffer =>
  Buffer.from(`${['POST /a HTTP/1.1', 'Host: t', ...lines].join('\r\n')}\r\n\r\nbody`, 'latin1');

test('a plain head is read to its empty line, with names in small letters and values without blanks around', () => {
  const bytes = head('Content-Length: \t4 ', 'X-One:1', 'Connection: Keep-Alive');
  expect(plainHeadIn(bytes)).toEqual({
    text: bytes.toString('latin1').slice(0, -4),
    target: '/a',
    headers: { host: 't', 'content-length': '4', 'x-one': '1', connection: 'Keep-Alive' },
    bodyBytes: 4,
  });
});

test('the same head is known again, and no other', () => {
  const known = plainHeadIn(head('Content-Length: 4')) as PlainHead;
  expect(beginsWith(head('Content-Length: 4'), known)).toBe(true);
  expect(beginsWith(head('Content-Length: 5'), known)).toBe(false);
  expect(beginsWith(head('Content-Length: 4').subarray(0, 20), known)).toBe(false);
});

describe('is not plain:', () => {
  const length = 'Content-Length: 4';
  test.each([
    ['a head that is not whole', Buffer.from('POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n')],
    ['a head that is long', head(length, `A: ${'x'.repeat(MOST_HEAD)}`)],
    ['no length', head()],
    ['no body', head('Content-Length: 0')],
    ['a length with a sign', head('Content-Length: +4')],
    ['a length that is a list', head('Content-Length: 4, 4')],
    ['a length of a megabyte and more', head('Content-Length: 1000000')],
    ['two lengths', head(length, length)],
    ['two hosts', head(length, 'host: u')],
    ['a name that comes twice', head(length, 'A: 1', 'a: 2')],
    ['chunks', head(length, 'Transfer-Encoding: chunked')],
    ['a packed body', head(length, 'Content-Encoding: gzip')],
    ['a body that waits to be asked for', head(length, 'Expect: 100-continue')],
    ['another protocol', head(length, 'Upgrade: h2c')],
    ['a connection that ends', head(length, 'Connection: close')],
    ['a connection that is something else', head(length, 'Connection: keep-alive, upgrade')],
    ['a blank before the colon', head(length, 'A : b')],
    ['a folded line', head(length, 'A: b', ' c')],
    ['no colon', head(length, 'A')],
    ['no name', head(length, ': a')],
    ['a name of other letters', head(length, 'A_b: c')],
    ['the name of a prototype', head(length, '__proto__: c')],
    ['a NUL', head(length, 'A: b\0c')],
    ['a carriage return alone', head(length, 'A: b\rc')],
    ['a line feed alone', head(length, 'A: b\nc')],
    ['a letter that is not ASCII', head(length, 'A: \xe9')],
    ['another method', Buffer.from('GET /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n')],
    ['another version', Buffer.from('POST /a HTTP/1.0\r\nHost: t\r\nContent-Length: 4\r\n\r\n')],
    ['a target with a host', Buffer.from('POST http://t/a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n')],
    ['a blank in the target', Buffer.from('POST /a b HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n')],
    ['no host', Buffer.from('POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n')],
    ['an empty line in front', Buffer.from('\r\nPOST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n')],
  ])('%s', (_what, bytes) => {
    expect(plainHeadIn(bytes)).toBeUndefined();
  });
});

test('a head that is nearly plain costs time by its length alone', () => {
  const bytes = head('Content-Length: 4', `A:${' '.repeat(3500)}\0`);
  const startedAt = performance.now();
  for (let run = 0; run < 100; run += 1) plainHeadIn(bytes);
  expect(performance.now() - startedAt, 'a hundred heads of 3.5 kB').toBeLessThan(500);
});
