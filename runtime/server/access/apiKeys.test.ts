import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyRing, parseKeys } from './apiKeys.ts';

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
const line = (name: string, key: string): string => `${name} sha256:${hashOf(key)}`;
const ringOf = (...lines: string[]): KeyRing => new KeyRing(parseKeys(lines.join('\n')));

describe('a keys file', () => {
  test('has a key a line, with comments and empty lines between, in either case of hexadecimal', () => {
    const text = `# who may ask\r\n\r\n${line('web', 'w')}\r\n  batch\tsha256:${hashOf('b').toUpperCase()}  \n`;
    expect(parseKeys(text).map(({ name, digest }) => [name, digest.toString('hex')])).toEqual([
      ['web', hashOf('w')],
      ['batch', hashOf('b')],
    ]);
  });

  test.each([
    ['no keys', '# nothing\n', /has no keys; write a line "<name> sha256:<hex>"/],
    ['a key in the clear', 'web s3cret', /^Line 1 of the keys file must be "<name> sha256:<hex>"/],
    ['a hash too short', `\nweb sha256:${'0'.repeat(63)}`, /^Line 2 /],
    ['another hash', `web sha512:${'0'.repeat(64)}`, /^Line 1 /],
    ['a name with a space', `my web sha256:${'0'.repeat(64)}`, /^Line 1 /],
    ['one key under two names', `${line('a', 'k')}\n${line('b', 'k')}`, /^Keys "a" and "b" .* are the same key\.$/],
  ])('with %s is refused by name', (_what, text, sentence) => {
    expect(() => parseKeys(text)).toThrow(sentence);
  });

  test('is refused without repeating what may be a secret', () => {
    expect(() => parseKeys('web s3cret')).not.toThrow(/s3cret/);
  });
});

describe('an Authorization header', () => {
  test.each([
    ['the first key', 'Bearer one', 'a'],
    ['the last key', 'Bearer two', 'b'],
    ['a second key of one name', 'Bearer three', 'a'],
    ['the scheme in lower case', 'bearer one', 'a'],
    ['several spaces', 'Bearer   one', 'a'],
    ['no header', undefined, undefined],
    ['an empty header', '', undefined],
    ['an empty key', 'Bearer ', undefined],
    ['a prefix of a key', 'Bearer on', undefined],
    ['the hash of a key', `Bearer ${hashOf('one')}`, undefined],
    ['another scheme', 'Basic one', undefined],
    ['the key without a scheme', 'one', undefined],
    ['two keys', 'Bearer one two', undefined],
    ['a very long key', `Bearer ${'x'.repeat(100_000)}`, undefined],
    ['a right key behind a thousand spaces', `Bearer ${' '.repeat(1024)}one`, undefined],
  ])('with %s is %o of %o', (_what, header, owner) => {
    const ring = ringOf(line('a', 'one'), line('b', 'two'), line('a', 'three'));
    expect(ring.ownerOf(header)).toBe(owner);
    expect(ring.ownerOf(header), 'asked again').toBe(owner);
  });

  test('that was right before its key was taken out is wrong from then on', () => {
    const ring = ringOf(line('a', 'old'));
    expect(ring.ownerOf('Bearer old')).toBe('a');
    ring.replace(parseKeys(line('a', 'new')));
    expect([ring.ownerOf('Bearer old'), ring.ownerOf('Bearer new')]).toEqual([undefined, 'a']);
  });
});
