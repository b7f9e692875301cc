import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { fetchDataset } from '../fetchDataset.ts';
import { fetchArtifact, openArtifact } from '../openArtifact.ts';
import { withStore } from '../openStore.ts';
import { putReports } from '../putReports.ts';
import { writeFolder } from '../testing/contract.ts';
import { contextIn, failureOf, localFiles, writeSecret } from '../testing/ground.ts';

interface Conduct {
  ranges: boolean;
  /** What `authorization` must be. */
  authorization?: string;
  /** Breaks the next answers after so many bytes. */
  breaks: number[];
  /** Answers so many requests with 503 first. */
  busy: number;
}

let folder: string;
let served: string;
let server: Server;
let conduct: Conduct;
let requests: string[];
let shipped: Awaited<ReturnType<typeof localFiles>>;
const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const context = () => contextIn(folder);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', headers, method } = request;
  requests.push(`${method} ${url} ${headers.range ?? ''}`.trim());
  if (conduct.busy-- > 0) return void response.writeHead(503).end();
  if (conduct.authorization !== undefined && headers.authorization !== conduct.authorization) {
    return void response.writeHead(401).end('who are you');
  }
  if (url.startsWith('/moved/')) return void response.writeHead(307, { location: url.replace('/moved/', '/') }).end();
  const path = join(served, decodeURIComponent(url));
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return void response.writeHead(404).end();
  const asked = conduct.ranges ? /bytes=(\d+)-/.exec(headers.range ?? '')?.[1] : undefined;
  const start = Number(asked ?? 0);
  if (start > 0 && start >= found.size) return void response.writeHead(416).end();
  response.writeHead(asked === undefined ? 200 : 206, { 'content-length': found.size - start });
  if (method === 'HEAD') return void response.end();
  const end = conduct.breaks.shift();
  if (end === undefined) return void createReadStream(path, { start }).pipe(response);
  response.write((await readFile(path)).subarray(start, start + end), () => response.destroy());
}

beforeEach(async () => {
  [folder, served, shipped] = await Promise.all([
    temporaryFolder('web'),
    temporaryFolder('served'),
    localFiles({ 'model.onnx': 200_000, 'tokenizer/a b.txt': 20 }),
  ]);
  await writeFolder(join(served, 'flights'), shipped);
  [conduct, requests] = [{ ranges: true, breaks: [], busy: 0 }, []];
  server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close().closeAllConnections());

const fetched = async (place: { uri: string; secret?: string } = { uri: `${base()}/flights` }) => {
  const into = await temporaryFolder('into');
  const hash = await fetchArtifact(place, shipped.digest, into, context());
  return { into, hash };
};

describe('an artifact behind a web server', () => {
  test('is fetched by its manifest and hashed', async () => {
    const opened = await openArtifact({ uri: `${base()}/flights/` }, shipped.digest, context());
    expect(opened.hash).toMatchObject({ digest: shipped.digest, files: 2, bytes: 200_020 });
    for (const { path, from } of shipped.files)
      expect(await readFile(join(opened.dir, path))).toEqual(await readFile(from));
    await opened.close();
    await expect(stat(opened.dir)).rejects.toThrow();
  });

  test.each([
    ['with ranges', true],
    ['without', false],
  ])('is gone on with after a cut by a server %s', async (_what, ranges) => {
    conduct.ranges = ranges;
    const lines = requests;
    await rm(join(served, 'flights', 'tokenizer'), { recursive: true });
    shipped = { ...shipped, ...(await localFiles({ 'model.onnx': 200_000 })) };
    await writeFolder(join(served, 'flights'), shipped);
    // The first answer is the manifest's.
    conduct.breaks = [100_000_000, 60_000, 60_000];
    expect((await fetched()).hash.digest).toBe(shipped.digest);
    expect(lines.filter((line) => line.includes('model.onnx'))).toEqual([
      'GET /flights/model.onnx',
      expect.stringMatching(/^GET \/flights\/model.onnx bytes=\d+-$/),
      expect.stringMatching(/^GET \/flights\/model.onnx bytes=\d+-$/),
    ]);
  });

  test('is waited for while the server is busy, and found where it was moved', async () => {
    conduct.busy = 2;
    expect((await fetched({ uri: `${base()}/moved/flights` })).hash.digest).toBe(shipped.digest);
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['a changed file', 'DigestMismatch', () => writeFile(join(served, 'flights/model.onnx'), Buffer.alloc(200_000))],
    ['a file cut short', 'DigestMismatch', () => truncate(join(served, 'flights/model.onnx'), 10)],
    ['a missing file', 'ArtifactMissing', () => rm(join(served, 'flights/model.onnx'))],
    ['no manifest', 'ArtifactMissing', () => rm(join(served, 'flights/manifest.json'))],
    ['no manifest but a page', 'DigestMismatch', () => writeFile(join(served, 'flights/manifest.json'), '<html>')],
    [
      'a manifest that leaves its folder',
      'DigestMismatch',
      async () => {
        const path = join(served, 'flights/manifest.json');
        await writeFile(path, (await readFile(path, 'utf8')).replace('model.onnx', '../model.onnx'));
      },
    ],
  ])('with %s is refused', async (_what, reason, damage) => {
    await damage();
    expect((await failureOf(fetched())).reason).toBe(reason);
  });

  test.each([
    ['a token', { token: 'abc' }, 'Bearer abc'],
    ['name and password', { username: 'ada', password: 'l' }, 'Basic YWRhOmw='],
  ])('is opened by %s of its Secret', async (_what, entries, authorization) => {
    conduct.authorization = authorization;
    await writeSecret(folder, 'web', entries);
    expect((await fetched({ uri: `${base()}/flights`, secret: 'web' })).hash.digest).toBe(shipped.digest);
    expect(await failureOf(fetched())).toMatchObject({
      reason: 'CredentialsRefused',
      message: expect.stringContaining('(who are you)'),
    });
  });

  test('of a server that is not there is named', async () => {
    const uri = `${base()}/flights`;
    server.close();
    server.closeAllConnections();
    expect(await failureOf(fetched({ uri }))).toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/),
    });
  });

  test('can only be read', async () => {
    const place = { uri: `${base()}/flights` };
    const readOnly = { reason: 'StoreUnavailable', message: expect.stringContaining('it can only be read') };
    expect(await failureOf(putReports(place, 'flights-1', { 'report.json': '{}' }, context()))).toMatchObject(readOnly);
    for (const work of ['put', 'remove', 'addClaim', 'artifacts'] as const) {
      const asked = withStore<unknown>(place, context(), (store) => store[work](place.uri, undefined as never));
      expect(await failureOf(asked)).toMatchObject(readOnly);
    }
  });
});

describe('a data set behind a web server', () => {
  const order = (path: string, digest?: string) => ({
    name: 'train',
    uri: `${base()}${path}`,
    ...(digest === undefined ? {} : { digest }),
  });
  const into = () => join(folder, 'input', 'train');

  test('may be a single file, of which nothing is known before', async () => {
    await writeFile(join(served, 'part 1.csv'), 'a,b\n1,2\n');
    const found = await fetchDataset(order('/part%201.csv'), into(), context());
    expect(found).toMatchObject({ name: 'train', files: 1, bytes: 8 });
    expect(await readFile(join(into(), 'part 1.csv'), 'utf8')).toBe('a,b\n1,2\n');
    // What was found is what can be asked for.
    expect((await fetchDataset(order('/part%201.csv', found.digest), into(), context())).digest).toBe(found.digest);
  });

  test('may be a folder with a manifest', async () => {
    expect((await fetchDataset(order('/flights'), into(), context())).digest).toBe(shipped.digest);
  });

  test.each([
    ['is not there', '/gone.csv', undefined, 'DatasetMissing'],
    ['is another', '/part.csv', `sha256:${'0'.repeat(64)}`, 'DatasetInvalid'],
  ])('that %s is named', async (_what, path, digest, reason) => {
    await writeFile(join(served, 'part.csv'), 'a\n');
    const failure = await failureOf(fetchDataset(order(path, digest), into(), context()));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain('Data set train');
  });
});
