import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  ['a sampled parent', `00-${TRACE}-${SPAN}-01`, true],
  ['a parent that is not sampled', `00-${TRACE}-${SPAN}-00`, false],
  ['flags of later versions', `00-${TRACE}-${SPAN}-ff`, true],
  ['a later version that says more', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
])('%s', (_, text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
});

test.each([
  ['nothing', undefined],
  ['an empty text', ''],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a short id', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['version 00 that says more', `00-${TRACE}-${SPAN}-01-more`],
  ['no flags', `00-${TRACE}-${SPAN}`],
  ['two headers joined', `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`],
])('%s is no parent', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test('what is written is read back', () => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((digits) => !/^0+$/.test(digits));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      expect(parseTraceparent(formatTraceparent({ traceId, spanId, sampled }))).toEqual({ traceId, spanId, sampled });
    }),
  );
});
