import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headersBack, headersOnward } from './headers.ts';

/** A message as node:http gives it. */
function messageOf(pairs: readonly (readonly [string, string])[]): IncomingMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) headers[name.toLowerCase()] = value;
  return { headers, rawHeaders: pairs.flat() } as unknown as IncomingMessage;
}
const pairsOf = (flat: readonly string[]) =>
  flat.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1]] as const] : []));

const name = fc.constantFrom(
  'Content-Length',
  'transfer-encoding',
  'Connection',
  'Keep-Alive',
  'Upgrade',
  'Expect',
  'Content-Encoding',
  'X-Hop',
  'X-User-Id',
  'Authorization',
  'slipway-timeout-ms',
  'traceparent',
);
const message = fc.array(fc.tuple(name, fc.constantFrom('x-hop, close', '12', 'chunked', 'a', 'gzip'))).map(messageOf);

test('whatever comes in, what goes on has one length, that of its body, and nothing of the connection', () => {
  fc.assert(
    fc.property(message, fc.nat(1e6), (request, bytes) => {
      const onward = pairsOf(headersOnward(request, 'r1', bytes, 0));
      const of = (wanted: string) => onward.flatMap(([n, value]) => (n === wanted ? [value] : []));
      expect(of('content-length')).toEqual([String(bytes)]);
      expect(of('slipway-forwarded')).toEqual(['r1']);
      const hops = ['transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'expect', 'content-encoding'];
      for (const hop of hops) expect(of(hop)).toEqual([]);
      if (request.headers.connection === 'x-hop, close') expect(of('x-hop')).toEqual([]);
      const sent = pairsOf(request.rawHeaders).filter(([n]) => ['x-user-id', 'authorization'].includes(n));
      expect(onward.filter(([n]) => ['x-user-id', 'authorization'].includes(n))).toEqual(sent);
    }),
  );
});

test.each([
  ['100', 30, '70'],
  ['100', 250, '1'],
  ['0', 30, '0'],
  ['soon', 30, 'soon'],
])('of a deadline of %s ms after %i ms is left: %s', (deadline, waited, left) => {
  const onward = headersOnward(messageOf([['Slipway-Timeout-Ms', deadline]]), 'r1', 0, waited);
  expect(pairsOf(onward)).toContainEqual(['slipway-timeout-ms', left]);
});

test('an answer keeps every header but those of its connection', () => {
  const answer = messageOf([
    ['Content-Type', 'application/json'],
    ['Content-Length', '7'],
    ['Connection', 'keep-alive'],
    ['Keep-Alive', 'timeout=75'],
    ['slipway-model-version', '2.0.0'],
  ]);
  expect(pairsOf(headersBack(answer))).toEqual([
    ['content-type', 'application/json'],
    ['content-length', '7'],
    ['slipway-model-version', '2.0.0'],
  ]);
});
