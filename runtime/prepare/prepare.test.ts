import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAgentServer } from '../agent/agentServer.ts';
import { ProgressBook } from '../agent/progressBook.ts';
import { Failure } from '../artifact/failure.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { type Fetch, provide } from './datasets.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ORDER = { name: 'train', uri: 'https://data.example.com/train' };
const ENTRY = { path: 'rows.csv', size: 4, sha256: 'b'.repeat(64) };

let inputDir: string;
let fetched: string[];
beforeEach(async () => {
  inputDir = await temporaryFolder('input');
  fetched = [];
});

/** A store with one small file, which writes down what was asked of it. */
const fetch: Fetch = async ({ uri }, into) => {
  fetched.push(uri);
  await mkdir(into, { recursive: true });
  await writeFile(join(into, 'rows.csv'), 'a,b\n');
  return { digest: DIGEST, bytes: 4, entries: [ENTRY] };
};
const provision = (over: Partial<Parameters<typeof provide>[0]> = {}) => ({
  inputDir,
  owner: 'nightly-a0-0',
  fetch,
  say: () => undefined,
  ...over,
});

describe('a data set', () => {
  test('stands in its folder with its manifest beside it, and a restart fetches nothing again', async () => {
    await provide(provision(), [ORDER]);
    expect(await readFile(join(inputDir, 'train', 'rows.csv'), 'utf8')).toBe('a,b\n');
    const manifest = JSON.parse(await readFile(join(inputDir, 'train.manifest.json'), 'utf8'));
    expect(manifest).toEqual({ ...ORDER, digest: DIGEST, bytes: 4, files: [ENTRY] });
    await provide(provision({ owner: 'nightly-a1-0' }), [ORDER]);
    expect(fetched).toHaveLength(1);
  });

  test.each([
    ['a file of another size', { size: 'a,b,c\n' }, ORDER],
    ['another digest asked for', {}, { ...ORDER, digest: `sha256:${'c'.repeat(64)}` }],
    ['another place', {}, { ...ORDER, uri: 'https://data.example.com/other' }],
  ])('is fetched anew after %s', async (_what, damage, again) => {
    await provide(provision(), [ORDER]);
    if ('size' in damage) await writeFile(join(inputDir, 'train', 'rows.csv'), damage.size);
    await provide(provision(), [again]);
    expect(fetched).toHaveLength(2);
  });

  test('of a claim is looked at anew each time, as the claim may hold something else by now', async () => {
    const order = { name: 'train', uri: 'pvc://data/train' };
    await provide(provision(), [order]);
    await provide(provision(), [order]);
    expect(fetched).toHaveLength(2);
  });

  test('that could not be fetched whole is not there, and the next attempt goes on from what is', async () => {
    const dying: Fetch = async (_order, into) => {
      await mkdir(into, { recursive: true });
      await writeFile(join(into, 'half'), 'ab');
      throw new Failure('StoreUnavailable', 'The store went away.');
    };
    await expect(provide(provision({ fetch: dying }), [ORDER])).rejects.toThrow('The store went away.');
    expect(await readdir(inputDir)).toEqual(['train.fetching.nightly-a0-0']);
    const seen: string[][] = [];
    const resuming: Fetch = async (order, into) => {
      seen.push(await readdir(into));
      return fetch(order, into);
    };
    await provide(provision({ owner: 'nightly-a1-0', fetch: resuming }), [ORDER]);
    expect(seen).toEqual([['half']]);
    expect((await readdir(inputDir)).sort()).toEqual(['train', 'train.manifest.json']);
  });
});

describe('the program', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  /** An agent on a loopback address of its own, as each pod has one. */
  async function agentAt(host: string, port: number, statusDir: string): Promise<number> {
    const options = { statusDir, book: new ProgressBook(statusDir), adminTokenFile: '/none', postTokenFile: '/none' };
    const server = createAgentServer(options);
    servers.push(server);
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const start = (rank: number, folder: string, env: Record<string, string>) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        JOB_COMPLETION_INDEX: String(rank),
        SLIPWAY_INPUT_DIR: join(folder, 'input'),
        SLIPWAY_CHECKPOINT_DIR: join(folder, 'checkpoints'),
        SLIPWAY_TERMINATION_LOG: join(folder, `termination-${rank}`),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  };

  test('two pods meet over real sockets, and both report the data set and the checkpoint', {
    timeout: 30_000,
  }, async () => {
    const folder = await temporaryFolder('gang');
    const status = [join(folder, 'status-1'), join(folder, 'status-2')];
    for (const dir of [...status, join(folder, 'checkpoints', '40'), join(folder, 'claims', 'data', 'train')])
      await mkdir(dir, { recursive: true });
    await writeFile(join(folder, 'checkpoints', '40', '_COMPLETE'), '');
    await writeFile(join(folder, 'claims', 'data', 'train', 'rows.csv'), 'a,b\n');
    // Rank 0 is 127.0.0.10, rank 1 is 127.0.0.11: the rank stands in the name.
    const port = await agentAt('127.0.0.10', 0, status[0] ?? '');
    await agentAt('127.0.0.11', port, status[1] ?? '');
    const env = {
      SLIPWAY_PEERS: JSON.stringify({ names: '127.0.0.1{}', count: 2 }),
      SLIPWAY_ADMIN_PORT: String(port),
      SLIPWAY_CLAIMS_DIR: join(folder, 'claims'),
      SLIPWAY_DATASETS: JSON.stringify([{ name: 'train', uri: 'pvc://data/train' }]),
    };
    const pods = [0, 1].map((rank) => start(rank, folder, { ...env, SLIPWAY_STATUS_DIR: status[rank] ?? '' }));
    for (const [exit, , errors] of await Promise.all(pods)) expect([exit, errors]).toEqual([[0, null], '']);
    const [first, second] = await Promise.all(
      [0, 1].map((rank) => readFile(join(folder, `termination-${rank}`), 'utf8')),
    );
    expect(first).toBe(second);
    expect(JSON.parse(first ?? '')).toMatchObject({
      schema: 'slipway.dev/prepared/v1',
      datasets: [{ name: 'train', bytes: 4 }],
      resumedFrom: '40',
    });
    expect(await readFile(join(folder, 'checkpoints', 'latest', '_COMPLETE'), 'utf8')).toBe('');
    expect((await stat(join(folder, 'input', 'train', 'rows.csv'))).size).toBe(4);
  });

  test('pods that were taken back leave no file in the output that the next would publish', {
    timeout: 30_000,
  }, async () => {
    const folder = await temporaryFolder('again');
    const output = join(folder, 'output');
    await mkdir(join(output, 'model'), { recursive: true });
    await writeFile(join(output, 'model', 'half.onnx'), 'ab');
    const env = { SLIPWAY_STATUS_DIR: folder, SLIPWAY_OUTPUT_DIR: output };
    await mkdir(join(folder, 'checkpoints', '7'), { recursive: true });
    await writeFile(join(folder, 'checkpoints', '7', '_COMPLETE'), '');
    const [exit, , errors] = await start(0, folder, env);
    expect([exit, errors]).toEqual([[0, null], '']);
    expect(await readdir(output)).toEqual([]);
    expect(await readdir(join(folder, 'checkpoints'))).toContain('7');
  });

  test('a peer that never comes ends it with the reason Rendezvous', { timeout: 30_000 }, async () => {
    const folder = await temporaryFolder('alone');
    const [exit, , errors] = await start(0, folder, {
      SLIPWAY_STATUS_DIR: folder,
      SLIPWAY_PEERS: JSON.stringify({ names: 'pod-{}.does-not-exist.invalid', count: 2 }),
      SLIPWAY_START_TIMEOUT_SECONDS: '2',
    });
    expect(exit).toEqual([1, null]);
    expect(errors).toContain('missing rank 1 of 2 (pod-1.does-not-exist.invalid: its name is not known yet)');
    expect(JSON.parse(await readFile(join(folder, 'termination-0'), 'utf8'))).toMatchObject({ reason: 'Rendezvous' });
  });

  test.each([
    ['SLIPWAY_PEERS', '{"names": "a", "count": 2}', 'SLIPWAY_PEERS is not what it should be: names'],
    ['SLIPWAY_START_TIMEOUT_SECONDS', '0', 'must be a whole number from 1 to 604800'],
  ])('a bad %s is refused in a sentence', async (name, value, sentence) => {
    const folder = await temporaryFolder('refused');
    const [exit, , errors] = await start(0, folder, { [name]: value });
    expect([exit, errors]).toEqual([[64, null], expect.stringContaining(sentence)]);
  });
});
