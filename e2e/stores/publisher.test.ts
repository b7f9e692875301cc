import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeReport } from '@slipway/crds';
import type { Place } from '@slipway/crds/contract';
import { fetchArtifact } from '@slipway/runtime/artifact/stores/openArtifact.ts';
import { withStore } from '@slipway/runtime/artifact/stores/openStore.ts';
import { contextIn, type Ground, localFiles, placeAt } from '@slipway/runtime/artifact/stores/testing/ground.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type FaultyLine, faultyLine } from './faultyLine.ts';
import { ociGround, s3Ground } from './grounds.ts';

const MIB = 1024 * 1024;
const EVALUATOR = fileURLToPath(import.meta.resolve('@slipway/runtime/evaluator/main.ts'));

/** Output of a training: what the publisher needs, and weights of some size that nobody loads. */
async function output(sizes: Readonly<Record<string, number>>): Promise<string> {
  const { folder } = await localFiles(sizes);
  const outputDir = await temporaryFolder('trained');
  await rename(folder, join(outputDir, 'model'));
  await writeFile(join(outputDir, 'model', 'signature.json'), '{"inputs":[],"outputs":[]}');
  return outputDir;
}

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  report(): Promise<ReturnType<typeof decodeReport>>;
}

async function start(command: string, folder: string, env: Record<string, string>, shell?: string): Promise<Run> {
  const log = join(folder, `termination-${Math.random()}`);
  const all = {
    PATH: process.env['PATH'] ?? '',
    SLIPWAY_TERMINATION_LOG: log,
    SLIPWAY_CLAIMS_DIR: join(folder, 'claims'),
    SLIPWAY_CREDENTIALS_DIR: join(folder, 'credentials'),
    SLIPWAY_MODEL_NAME: 'flights',
    ...env,
  };
  const node = [process.execPath, EVALUATOR, command];
  const [program, ...args] =
    shell === undefined ? node : ['unshare', '--mount', '--map-root-user', 'sh', '-c', shell, 'sh', ...node];
  const child = spawn(program as string, args, { env: all, stdio: ['ignore', 'ignore', 'inherit'] });
  return { child, ended: once(child, 'exit'), report: async () => decodeReport(await readFile(log, 'utf8')) };
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 4000 && !holds(); tries++) await delay(5);
  expect(holds()).toBe(true);
};

/** A registry keeps whole files only, and a few are sent at a time: of sixteen most are whole when the publisher dies. */
describe.each([
  { kind: 's3', host: () => new URL(inject('s3').url).host, open: (at: string) => s3Ground(`http://${at}`), files: 1 },
  { kind: 'oci', host: () => inject('oci').host, open: (at: string) => ociGround(at), files: 16 },
])('a publisher into $kind that is killed', ({ host, open, files }) => {
  let line: FaultyLine;
  let ground: Ground & { readonly folder: string };
  beforeEach(async () => {
    const [name = '', port] = host().split(':');
    line = await faultyLine(name, Number(port));
    ground = await open(`127.0.0.1:${line.port}`);
  });
  afterEach(() => line.close());

  it('shows nothing, and the next one goes on with what it sent', { timeout: 180_000 }, async () => {
    const size = (64 / files) * MIB;
    const weights = Array.from({ length: files - 1 }, (_, index) => [`part${index}.data`, size]);
    const outputDir = await output({ 'model.onnx': size, ...Object.fromEntries(weights) });
    const place: Place = placeAt(ground, ground.root);
    const env = { SLIPWAY_OUTPUT_DIR: outputDir, SLIPWAY_STORE: JSON.stringify(place) };
    const first = await start('publish', ground.folder, env);
    await until(() => line.up() > 48 * MIB);
    first.child.kill('SIGKILL');
    expect(await first.ended).toEqual([null, 'SIGKILL']);
    const whole = () => withStore(place, ground.context, (store) => store.artifacts(ground.root, 'flights'));
    expect(await whole()).toEqual([]);

    const before = line.up();
    const second = await start('publish', ground.folder, env);
    expect(await second.ended).toEqual([0, null]);
    expect(line.up() - before).toBeLessThan(56 * MIB);
    const report = await second.report();
    if (report?.schema !== 'slipway.dev/publish/v1') throw new Error(JSON.stringify(report));
    expect(await whole()).toEqual([report.uri]);
    const into = await temporaryFolder('into');
    const { bytes } = await fetchArtifact(placeAt(ground, report.uri), report.digest, into, ground.context);
    expect(bytes).toBe(report.bytes);
  });
});

describe('a disk that is full', () => {
  /** The programs that follow run with 8 MiB of room at that folder, which nobody else sees. */
  const room = (folder: string, after: string) =>
    `mount -t tmpfs -o size=8m tmpfs '${folder}' && { "$@"; code=$?; ${after}; exit $code; }`;

  it('leaves nothing of a publish, and says so', async () => {
    const folder = await temporaryFolder('full');
    const claim = join(folder, 'claims', 'models');
    await mkdir(claim, { recursive: true });
    const outputDir = await output({ 'model.onnx': 12 * MIB });
    const env = { SLIPWAY_OUTPUT_DIR: outputDir, SLIPWAY_STORE: '{"uri":"pvc://models"}' };
    const run = await start('publish', folder, env, room(claim, `ls -A '${claim}/flights' > '${folder}/left'`));
    expect(await run.ended).toEqual([1, null]);
    expect(await run.report()).toMatchObject({
      reason: 'StoreFull',
      message: 'pvc://models is full: make room, or enlarge it.',
    });
    expect(await readFile(join(folder, 'left'), 'utf8')).toBe('');
  });

  it('ends a fetch with how much was wanted and how much is free', async () => {
    const ground = await s3Ground();
    const { files, digest } = await localFiles({ 'model.onnx': 12 * MIB });
    const { uri } = await withStore(placeAt(ground, ground.root), contextIn(ground.folder), (store) =>
      store.put(ground.root, { model: 'flights', files }),
    );
    const served = await temporaryFolder('served');
    const env = {
      SLIPWAY_ARTIFACT: JSON.stringify(placeAt(ground, uri)),
      SLIPWAY_MODEL_DIGEST: digest,
      SLIPWAY_ARTIFACT_DIR: served,
    };
    const run = await start('fetch', ground.folder, env, room(served, 'true'));
    expect(await run.ended).toEqual([1, null]);
    expect(await run.report()).toMatchObject({
      reason: 'StoreFull',
      message: expect.stringMatching(
        /^The disk of this pod is full: .* 12582912 bytes were to be fetched, \d+ are free\.$/,
      ),
    });
    const again = await start('fetch', ground.folder, env);
    expect(await again.ended).toEqual([0, null]);
    expect((await readdir(served)).toSorted()).toEqual(['model.onnx']);
  });
});

it('an artifact is removed by the command, and nothing else ever is', async () => {
  const ground = await s3Ground();
  const { files, digest } = await localFiles({ 'model.onnx': 1000 });
  const place = placeAt(ground, ground.root);
  const { uri } = await withStore(place, ground.context, (store) =>
    store.put(ground.root, { model: 'flights', files }),
  );
  const remove = async (asked: string, of: string) => {
    const env = { SLIPWAY_ARTIFACT: JSON.stringify(placeAt(ground, asked)), SLIPWAY_MODEL_DIGEST: of };
    return (await (
      await start('remove', ground.folder, env)
    ).ended) as unknown;
  };
  const artifacts = () => withStore(place, ground.context, (store) => store.artifacts(ground.root, 'flights'));
  expect(await remove(ground.root, digest)).toEqual([64, null]);
  expect(await remove(uri, `sha256:${'0'.repeat(64)}`)).toEqual([64, null]);
  expect(await artifacts()).toEqual([uri]);
  expect(await remove(uri, digest)).toEqual([0, null]);
  expect(await remove(uri, digest)).toEqual([0, null]);
  expect(await artifacts()).toEqual([]);
});
