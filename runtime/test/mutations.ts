import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Buffer;
  /** From the name: "<what>.<bytes of JSON>.body"; undefined for JSON alone. */
  readonly headerLength: number | undefined;
}

/** The kept inputs of a folder whose names begin with one of `kinds`. */
export function corpusOf(folder: URL, ...kinds: readonly string[]): readonly CorpusEntry[] {
  return readdirSync(folder)
    .filter((name) => kinds.some((kind) => name.startsWith(kind)))
    .sort()
    .map((name) => {
      const length = /\.(\d+)\.body$/.exec(name)?.[1];
      const bytes = readFileSync(new URL(name, folder));
      return { name, bytes, headerLength: length === undefined ? undefined : Number(length) };
    });
}

/** What breaks parsers: ends of ranges, half tokens, structure in the wrong place, bytes that are no text. */
const TOKENS: readonly Buffer[] = [
  ...[
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '\\',
    '-',
    '.',
    'e',
    '0',
    '00',
    ' ',
    '\n',
    'null',
    'true',
    'NaN',
    '[]',
    '{}',
    '""',
  ],
  ...[
    '1e999',
    '-0',
    '0.1e-400',
    '1e22',
    '9223372036854775808',
    '18446744073709551616',
    '9007199254740993',
    '1e-46',
    '3.5e38',
  ],
  ...[
    '"data":',
    '"data":[1]',
    '"shape":[99999999999]',
    '[1073741824,2]',
    '"binary_data_size":4294967295',
    '"__proto__":1',
  ],
  ...['\\u0000', '\\ud800', '0.1234567890123456789012345678901234567890', '"constructor"', '\u2028'],
]
  .map((token) => Buffer.from(token))
  .concat([Buffer.of(0xff), Buffer.of(0), Buffer.of(0xc3), Buffer.of(255, 255, 255, 255)]);

type Mutation = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (bytes: Buffer, share: number): number => Math.min(bytes.length, Math.floor(share * (bytes.length + 1)));
const spliced = (bytes: Buffer, from: number, to: number, put: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, Math.min(from, to)), put, bytes.subarray(Math.max(from, to))]);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...TOKENS)).map(
    ([p, token]) =>
      (bytes: Buffer) =>
        spliced(bytes, at(bytes, p), at(bytes, p), token),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 8 }), fc.constantFrom(...TOKENS)).map(
    ([p, length, token]) =>
      (bytes: Buffer) =>
        spliced(bytes, at(bytes, p), Math.min(bytes.length, at(bytes, p) + length), token),
  ),
  fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(([p, byte]) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[at(bytes, p) % changed.length] = byte;
    return changed;
  }),
  fc.tuple(place, place).map(
    ([p, q]) =>
      (bytes: Buffer) =>
        spliced(bytes, at(bytes, p), at(bytes, q), Buffer.alloc(0)),
  ),
  fc.tuple(place, place, place).map(([p, q, r]) => (bytes: Buffer) => {
    const from = Math.min(at(bytes, p), at(bytes, q));
    const part = bytes.subarray(from, Math.min(Math.max(at(bytes, p), at(bytes, q)), from + 64));
    return spliced(bytes, at(bytes, r), at(bytes, r), part);
  }),
);

/** A kept input with up to six changes, and the length that the header then says: right, or anything. */
export const mutated = (corpus: readonly CorpusEntry[]): fc.Arbitrary<CorpusEntry> =>
  fc
    .tuple(
      fc.constantFrom(...corpus),
      fc.array(mutation, { maxLength: 6 }),
      fc.oneof(
        { weight: 6, arbitrary: fc.constant('kept') },
        { weight: 1, arbitrary: fc.integer({ min: -2, max: 400 }) },
      ),
    )
    .map(([{ name, bytes, headerLength }, mutations, length]) => {
      const changed = mutations.reduce((before, mutate) => mutate(before), bytes);
      const grown = headerLength ? headerLength + changed.length - bytes.length : headerLength; // most changes hit the JSON
      return { name, bytes: changed, headerLength: length === 'kept' ? grown : length };
    });
