import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from './decoder.ts';
import { encodeHeaders } from './encode.ts';
import { HpackError } from './integer.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const decoder = (tableBytes = 4096, maxBytes = 16_384) => new HpackDecoder(maxBytes, tableBytes);
const pairs = (decoded: ReturnType<HpackDecoder['decode']>) =>
  decoded.fields.map(({ name, value }) => `${name}: ${value}`);

describe('the examples of RFC 7541', () => {
  test('requests with Huffman codes, C.4', () => {
    const connection = decoder();
    const first = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
    expect(pairs(connection.decode(bytes('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')))).toEqual(first);
    expect(pairs(connection.decode(bytes('8286 84be 5886 a8eb 1064 9cbf')))).toEqual([
      ...first,
      'cache-control: no-cache',
    ]);
    const third = bytes('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf');
    expect(pairs(connection.decode(third))).toEqual([
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ]);
  });

  test('responses that push each other out of a table of 256 bytes, C.6', () => {
    const connection = decoder(256);
    const at = (second: number) => `date: Mon, 21 Oct 2013 20:13:2${second} GMT`;
    const first = [':status: 302', 'cache-control: private', at(1), 'location: https://www.example.com'];
    const one = bytes(
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
    );
    expect(pairs(connection.decode(one))).toEqual(first);
    expect(pairs(connection.decode(bytes('4883 640e ffc1 c0bf')))).toEqual([':status: 307', ...first.slice(1)]);
  });

  test('a literal that is not kept, C.2.2', () => {
    const connection = decoder();
    expect(pairs(connection.decode(bytes('040c 2f73 616d 706c 652f 7061 7468')))).toEqual([':path: /sample/path']);
    expect(connection.revision).toBe(0);
  });
});

const broken: readonly [string, string][] = [
  ['index 0', '80'],
  ['an index beyond both tables', 'be'],
  ['an index that does not end', 'ff ff ff ff ff ff ff'],
  ['an index that is cut off', 'ff 80'],
  ['a literal without its value', '40 01 61'],
  ['a string that is longer than the block', '40 05 61 62'],
  ['a string of a gigabyte', '40 7f ff ff ff ff 03 61'],
  ['Huffman padding of zeros', '40 81 18 01 61'],
  ['Huffman padding of a whole byte', '40 82 1f ff 01 61'],
  ['the end mark inside a Huffman string', '40 84 ff ff ff ff 01 61'],
  ['a table larger than was allowed', '3f e2 1f'],
  ['a change of the table behind a field', '82 20'],
];

test.each(broken)('%s ends the connection', (_what, hex) => {
  expect(() => decoder().decode(bytes(hex))).toThrow(HpackError);
});

test('a table of size 0 keeps nothing, and one made larger again starts empty', () => {
  const connection = decoder();
  connection.decode(bytes('40 01 61 01 62'));
  expect(pairs(connection.decode(bytes('be')))).toEqual(['a: b']);
  connection.decode(bytes('20 3f e1 1f'));
  expect(() => connection.decode(bytes('be'))).toThrow('which there is not');
});

test('a bomb of references to a long field is cut at the limit, and the next block is still read right', () => {
  const connection = decoder(4096, 10_000);
  const long = encodeHeaders([{ name: 'x', value: 'v'.repeat(4000) }]);
  const kept = Buffer.concat([bytes('40'), long.subarray(1)]);
  const bomb = Buffer.concat([kept, Buffer.alloc(5000, 0xbe)]);
  const decoded = connection.decode(bomb);
  expect([decoded.tooLarge, decoded.fields.length]).toEqual([true, 2]);
  expect(connection.decode(bytes('be')).fields[0]?.value.length).toBe(4000);
});

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const printable = fc.stringMatching(/^[ -~]{0,60}$/);

test('what is encoded is decoded', () => {
  const fields = fc.array(fc.record({ name: token, value: printable }), { maxLength: 20 });
  fc.assert(
    fc.property(fields, (all) => {
      expect(decoder().decode(encodeHeaders(all)).fields).toEqual(all);
    }),
  );
});

test('no bytes whatever do more than throw HpackError', () => {
  const connection = decoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
      try {
        const { fields } = connection.decode(block);
        expect(fields.length).toBeLessThanOrEqual(16_384 / 32);
      } catch (error) {
        expect(error).toBeInstanceOf(HpackError);
      }
    }),
    { numRuns: 2000 },
  );
});
