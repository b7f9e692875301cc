import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { Failure } from '../failure.ts';
import { fetchFolder } from './fetchFolder.ts';
import type { RemoteFile, StoreContext } from './store.ts';
import { failureOf } from './testing/ground.ts';

const CONTENT = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const FILE: RemoteFile = {
  path: 'model.onnx',
  size: CONTENT.length,
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
};

const contextOf = (lines: string[] = []): StoreContext => ({
  say: (line) => lines.push(line),
  now: () => 0,
  sleep: async () => undefined,
});

/** A store whose line breaks after so many bytes of each read, as long as there are breaks left. */
function breaking(breaks: readonly number[], content = CONTENT) {
  const left = [...breaks];
  const asked: number[] = [];
  const read = async (_uri: string, _file: RemoteFile, from: number): Promise<Readable> => {
    asked.push(from);
    const length = left.shift();
    if (length === undefined) return Readable.from([content.subarray(from)]);
    return Readable.from(
      (async function* () {
        yield content.subarray(from, from + length);
        throw new Error('cut');
      })(),
    );
  };
  return { read, asked };
}

const fetch = (
  store: { read: ReturnType<typeof breaking>['read'] },
  into: string,
  context = contextOf(),
  file = FILE,
) => fetchFolder(store, { base: 's3://bucket/flights', files: [file] }, into, context);

describe('a file that is fetched', () => {
  test('is whole wherever its line breaks, and no byte is asked for twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 6 }), async (breaks) => {
        const into = await temporaryFolder('into');
        const store = breaking(breaks);
        await fetch(store, into);
        expect(await readFile(join(into, FILE.path))).toEqual(CONTENT);
        const offsets = [0, ...breaks.map((_, index) => breaks.slice(0, index + 1).reduce((sum, n) => sum + n, 0))];
        expect(store.asked).toEqual(offsets);
        expect(await readdir(into)).toEqual([FILE.path]);
      }),
      { numRuns: 25 },
    );
  });

  test('is gone on with by the process after one that died, wherever that was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 999 }), async (size) => {
        const into = await temporaryFolder('into');
        // Nothing comes after the first piece: the tries run out, and the process ends.
        expect((await failureOf(fetch(breaking([size, 0, 0, 0, 0, 0, 0, 0]), into))).reason).toBe('StoreUnavailable');
        const store = breaking([]);
        await fetch(store, into);
        expect(store.asked).toEqual([size]);
        expect(await readFile(join(into, FILE.path))).toEqual(CONTENT);
      }),
      { numRuns: 15 },
    );
  });

  test('begins anew when what an earlier try left was of other content', async () => {
    const into = await temporaryFolder('into');
    await failureOf(fetch(breaking([400, 0, 0, 0, 0, 0, 0, 0], Buffer.alloc(1000, 7)), into));
    const store = breaking([]);
    await fetch(store, into);
    expect(store.asked).toEqual([400, 0]);
    expect(await readFile(join(into, FILE.path))).toEqual(CONTENT);
  });

  test('that is there already is not asked for', async () => {
    const into = await temporaryFolder('into');
    await writeFile(join(into, FILE.path), CONTENT);
    const store = breaking([]);
    await fetch(store, into);
    expect(store.asked).toEqual([]);
  });

  test('is refused when it is longer than was said, before more of it is kept than was allowed', async () => {
    const into = await temporaryFolder('into');
    const longer = breaking([], Buffer.concat([CONTENT, CONTENT]));
    expect((await failureOf(fetch(longer, into))).reason).toBe('DigestMismatch');
    const unknown = { path: 'table.csv' };
    const failure = await failureOf(fetch(breaking([]), into, { ...contextOf(), maxBytes: 999 }, unknown));
    expect(failure.reason).toBe('ArtifactOversized');
  });

  test('is refused at once when the store itself refuses it', async () => {
    let asked = 0;
    const read = async () => {
      asked += 1;
      throw new Failure('CredentialsRefused', 'no');
    };
    expect((await failureOf(fetch({ read }, await temporaryFolder('into')))).reason).toBe('CredentialsRefused');
    expect(asked).toBe(1);
  });
});

test('progress is said every few seconds with its speed and the time left', async () => {
  const lines: string[] = [];
  let time = 0;
  const context = { ...contextOf(lines), now: () => (time += 6_000) };
  await fetch(breaking([500]), await temporaryFolder('into'), context);
  expect(lines[0]).toBe('fetched 0.0 MiB of 0.0 MiB (0 %), 0.0 MB/s, time left unknown');
  expect(lines.join('\n')).toMatch(/fetched .* \(50 %\), 0\.0 MB\/s, \d+ s left/);
  expect(lines.at(-1)).toMatch(/^fetched 0\.0 MiB in \d+\.0 s, 0\.0 MB\/s$/);
});
