import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { encodeModel } from '@slipway/runtime/onnx/model.ts';
import { findModels } from '@slipway/runtime/server/models/modelFolder.ts';
import { tryModel } from '@slipway/runtime/server/models/trial.ts';
import { exchange, get, post, requestOf } from '@slipway/runtime/server/rest/testing/socket.ts';
import { lookup, slowBy } from '@slipway/runtime/test/artifacts.ts';
import { type ServerProcess, startFolder } from '@slipway/runtime/test/serverProcess.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { serverPage, tableOf } from './page.ts';

const page = await serverPage();

/** What stands in backticks. */
const coded = (cell: string | undefined): readonly string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, text]) => text as string);

const served = async (server: ServerProcess) => {
  await server.logged('ready');
  const entries = (await (await server.fetch('rest', '/v2/repository/index', { method: 'POST' })).json()) as readonly {
    readonly name: string;
    readonly version: string;
  }[];
  return entries.map(({ name, version }) => `${name} ${version}`).sort();
};

async function serving(path: string, settings: object = {}): Promise<ServerProcess> {
  const server = await startFolder(path, settings);
  onTestFinished(() => server.kill());
  return server;
}

/** `[name, version]` of a model file by its path below the folder that is served. */
function identityOf(path: string): string {
  const [name = '', version] = path
    .replace(/^models\//, '')
    .replace(/(\/model)?\.onnx$/, '')
    .split('/');
  return `${name} ${version ?? '1'}`;
}

describe('what to put where', () => {
  test.each(tableOf(page, 'Given', 'Served as'))('%s is served as %s', async (given, servedAs) => {
    const folder = await temporaryFolder('layout');
    const paths = coded(given);
    for (const path of paths) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), encodeModel(lookup));
    }
    const root = join(folder, (paths[0] as string).split('/')[0] as string);
    const [settings] = coded(servedAs).filter((text) => text.startsWith('"'));
    const names = coded(servedAs).filter((text) => !text.startsWith('"'));
    const all = paths.map(identityOf).sort();
    expect(new Set(all.map((identity) => identity.split(' ')[0]))).toEqual(new Set(names));
    expect((await findModels(root)).map(({ name, version }) => `${name} ${version}`)).toEqual(all);
    if (settings === undefined) return;
    expect(await served(await serving(root))).toEqual(all.slice(-1));
    expect(await served(await serving(root, JSON.parse(`{${settings}}`)))).toEqual(all);
  });

  test('every file that is read beside the model is told of, and each says by itself that it is read', async () => {
    const told = tableOf(page, 'File', 'What it does').flatMap(([file]) => coded(file));
    const { signature, labels, tokenizer, preprocess, postprocess, golden, baseline } = FILES;
    expect(told.toSorted()).toEqual(
      [signature, labels, tokenizer, preprocess, postprocess, golden, baseline].toSorted(),
    );
    for (const file of told) {
      const folder = await temporaryFolder('file');
      await writeFile(join(folder, 'model.onnx'), encodeModel(lookup));
      await writeFile(join(folder, file), '\n\nno such file {');
      await expect(tryModel(folder), file).rejects.toThrow(file);
    }
  });
});

const KEYS = ['key-of-alice', 'key-of-bob'] as const;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Each status of the table, by requests that get it. */
describe('a wrong request', () => {
  const told = tableOf(page, 'Status', 'Why').flatMap(([statuses]) => (statuses ?? '').split(', ').map(Number));
  const row = { inputs: [{ name: 'code', datatype: 'INT64', shape: [1, 1], data: [7] }] };
  const x = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] };
  const key = { authorization: `Bearer ${KEYS[0]}` };
  const infer = '/v2/models/lookup/infer';
  let server: ServerProcess;
  let port: number;
  const seen = new Map<number, string | undefined>();
  const expectStatus = async (status: number, bytes: Uint8Array, at = port) => {
    const { status: got, headers, error } = await exchange(at, bytes);
    expect([got, error]).toEqual([status, expect.stringMatching(/\.$/)]);
    seen.set(status, headers['retry-after']);
  };

  beforeAll(async () => {
    const folder = await temporaryFolder('statuses');
    await writeFile(join(folder, 'lookup.onnx'), encodeModel(lookup));
    await writeFile(join(folder, 'slow.onnx'), encodeModel(slowBy(2000)));
    await writeFile(join(folder, 'keys'), KEYS.map((secret) => `${secret} sha256:${sha256(secret)}\n`).join(''));
    server = await startFolder(folder, {
      auth: { keysFile: join(folder, 'keys') },
      batching: { maxQueue: 0 },
      limits: {
        maxBodyBytes: 1000,
        bodyTimeoutMs: 500,
        requestTimeoutMs: 150,
        rate: { requestsPerSecond: 1, burst: 30 },
      },
    });
    await server.logged('ready');
    port = (await server.logged('listening'))['rest'] as number;
  }, 30_000);
  afterAll(() => server.kill());

  test.each<[number, Uint8Array]>([
    [400, post(infer, 'nope', key)],
    [401, post(infer, row)],
    [403, post('/v2/repository/models/lookup/load', '', key)],
    [404, post('/v2/models/other/infer', row, key)],
    [405, get(infer, key)],
    [408, requestOf('POST', infer, '{', { ...key, 'content-length': '10' })],
    [413, post(infer, ' '.repeat(1001), key)],
    [415, post(infer, row, { ...key, 'content-encoding': 'br' })],
    [422, post(infer, { rows: [{ none: 1 }] }, key)],
    [431, get('/v2', { ...key, long: 'x'.repeat(20_000) })],
    [500, post(infer, row, key)],
    [501, Buffer.from(`POST ${infer} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: x, chunked\r\n\r\n0\r\n\r\n`)],
  ])('may be a %i', (status, bytes) => expectStatus(status, bytes));

  test('may be a 504 where a run takes too long, and a 503 where nobody may wait for it', async () => {
    const slow = post('/v2/models/slow/infer', x, key);
    const first = expectStatus(504, slow);
    const isRunning = async () =>
      /^slipway_runs_in_progress\{model="slow".*\} 1$/m.test(await (await server.fetch('admin', '/metrics')).text());
    await until(isRunning, { timeoutMs: 10_000, everyMs: 2, what: 'the slow run' });
    await expectStatus(503, slow);
    await first;
  });

  test('may be a 429 where they are too many', async () => {
    const again = get('/v2/models/lookup', { authorization: `Bearer ${KEYS[1]}` });
    const statuses: number[] = [];
    while (statuses.length < 40 && statuses.at(-1) !== 429) statuses.push((await exchange(port, again)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
    await expectStatus(429, again);
  });

  test('is told of on the page, each status of it and no other', () => {
    expect([...seen.keys()].toSorted()).toEqual(told.toSorted());
    for (const [status, retryAfter] of seen)
      expect([status, retryAfter !== undefined]).toEqual([status, [429, 503].includes(status)]);
  });
});

describe('coming from elsewhere', () => {
  /** Where each thing that stays is shown: a file below the repository, and the name of a test in it. */
  const SHOWN: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    Triton: [
      ['runtime/server/models/modelFolder.test.ts', 'config.pbtxt'],
      ['e2e/conformance/test_triton_http.py', 'test_a_datatype_goes_there_and_back_in_binary'],
      ['e2e/conformance/test_triton_http.py', 'test_classes_come_with_their_names'],
      ['e2e/conformance/test_triton_http.py', 'test_statistics_count_what_was_asked'],
      ['e2e/conformance/test_triton_http.py', 'test_the_repository_can_be_read_unloaded_and_loaded'],
      ['e2e/conformance/test_triton_grpc.py', 'test_a_datatype_goes_there_and_back'],
      ['e2e/conformance/test_triton_grpc.py', 'test_the_repository_can_be_read_unloaded_and_loaded'],
      ['e2e/docs/serverPage.test.ts', "a server with the page's settings"],
    ],
    KServe: [
      ['e2e/conformance/test_kserve.py', 'test_health_and_predict_over_v1'],
      ['e2e/conformance/test_kserve.py', 'test_a_datatype_goes_there_and_back_over_rest'],
      ['e2e/conformance/test_kserve.py', 'test_a_datatype_goes_there_and_back_over_grpc'],
    ],
    MLServer: [['e2e/conformance/test_mlserver.py', 'test_an_array_of_their_codec_goes_there_and_back']],
  };

  test('each row has its tests', async () => {
    expect(tableOf(page, 'From', 'What stays').map(([from]) => from)).toEqual(Object.keys(SHOWN));
    for (const [file, name] of Object.values(SHOWN).flat())
      expect(await readFile(join(repositoryRoot, file), 'utf8')).toContain(name);
  });

  test('what is not there is refused by name', async () => {
    expect(page).toContain('Not there, and refused by name: shared memory and sequences (400), ensembles and backends');
    const folder = await temporaryFolder('absent');
    await mkdir(join(folder, 'ensemble', '1'), { recursive: true });
    await writeFile(join(folder, 'ensemble', 'config.pbtxt'), 'platform: "ensemble"');
    await writeFile(join(folder, 'ensemble', '1', 'model.plan'), 'x');
    const empty = await serving(folder);
    expect([await empty.exitCode(), (await empty.termination()).message]).toEqual([
      1,
      expect.stringContaining('There is no model in'),
    ]);
    await writeFile(join(folder, 'lookup.onnx'), encodeModel(lookup));
    const server = await serving(folder);
    expect(await served(server)).toEqual(['lookup 1']);
    const ask = async (body: object) => {
      const answer = await server.fetch('rest', '/v2/models/lookup/infer', {
        method: 'POST',
        body: JSON.stringify(body),
      });
      return [answer.status, ((await answer.json()) as { readonly error: string }).error];
    };
    const code = { name: 'code', datatype: 'INT64', shape: [1, 1] };
    const shared = { ...code, parameters: { shared_memory_region: 'r', shared_memory_byte_size: 8 } };
    expect(await ask({ inputs: [shared] })).toEqual([400, expect.stringMatching(/^Shared memory is not served/)]);
    expect(await ask({ inputs: [{ ...code, data: [1] }], parameters: { sequence_id: 1 } })).toEqual([
      400,
      expect.stringMatching(/^Sequences are not kept/),
    ]);
  });
});
