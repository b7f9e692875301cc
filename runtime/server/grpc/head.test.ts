import { describe, expect, test } from 'vitest';
import { parseHead } from './head.ts';
import { CODE } from './status.ts';

const CALL = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/inference.GRPCInferenceService/ModelInfer',
  'content-type': 'application/grpc',
};
const fieldsOf = (headers: Readonly<Record<string, string | undefined>>) =>
  Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
const headOf = (more: Readonly<Record<string, string | undefined>> = {}, tooLarge = false) =>
  parseHead(fieldsOf({ ...CALL, ...more }), tooLarge);

test.each([
  [undefined, Number.POSITIVE_INFINITY],
  ['2H', 7_200_000],
  ['3M', 180_000],
  ['4S', 4000],
  ['250m', 250],
  ['1500u', 1.5],
  ['2000n', 0.002],
  ['99999999n', 99.999999],
])('a grpc-timeout of %s is %d ms', (text, ms) => {
  const head = headOf({ 'grpc-timeout': text });
  expect(head.timeoutMs).toBeCloseTo(ms, 9);
  expect([head.refused, head.fault]).toEqual([undefined, undefined]);
});

test.each(['', '1', 'S', '-1S', '1.5S', '999999999n', '1s', '1 S', '0x1S'])(
  'a grpc-timeout of "%s" is none',
  (text) => {
    expect(headOf({ 'grpc-timeout': text }).fault).toMatchObject({ code: CODE.invalidArgument });
  },
);

describe('a block that is no call of gRPC', () => {
  test.each([
    ['without a path', { ':path': undefined }, 400],
    ['without a scheme', { ':scheme': undefined }, 400],
    ['that asks by GET', { ':method': 'GET' }, 405],
    ['of another content type', { 'content-type': 'application/json' }, 415],
    ['of a content type that only begins like it', { 'content-type': 'application/grpc-web' }, 415],
    ['of a connection that HTTP/2 does not have', { connection: 'close' }, 400],
    ['with a name in upper case', { Accept: '*' }, 400],
    ['with a pseudo header behind the others', { ':authority': 'late' }, 400],
  ])('%s is refused with %s', (_what, more, status) => {
    expect(headOf(more).refused).toBe(status);
  });

  test('the same pseudo header twice is refused', () => {
    const [method, ...others] = fieldsOf(CALL);
    if (!method) throw new Error('there is a method');
    expect(parseHead([method, method, ...others], false).refused).toBe(400);
  });
});

test.each([
  ['application/grpc+proto', undefined],
  ['application/grpc;charset=utf-8', undefined],
])('a content type of %s is a call', (type, refused) => {
  expect(headOf({ 'content-type': type }).refused).toBe(refused);
});

test('metadata that is too large is said before anything else about it', () => {
  expect(headOf({ 'grpc-timeout': 'x' }, true).fault).toMatchObject({ code: CODE.resourceExhausted });
});
