import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { afterEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { bodyOf, httpServer, refusingUrl, rows, type TestServer } from '../testing/candidate.ts';
import { RotatingFile } from './rotatingFile.ts';
import { sampleOf } from './sample.ts';
import { checkSampleFile, openSampleSink, type SampleSettings } from './sampleSink.ts';

const IDENTITY = { name: 'flights', version: '3', digest: 'sha256:abc' };
const settingsOf = (samples: object): SampleSettings =>
  servingSettingsSchema.parse({ samples: { share: 1, ...samples } }).samples as SampleSettings;
const sample = (n: number) =>
  sampleOf(IDENTITY, {
    id: `r${n}`,
    startedAt: Date.UTC(2026, 0, 2),
    inputs: [rows('x', [[n, Number.NaN]])],
    outputs: [rows('y', [[2 * n]])],
  });
const linesOf = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

test('a line holds the request as it can be asked again, and its answer', async () => {
  const file = join(await temporaryFolder('samples'), 'samples.jsonl');
  const sink = openSampleSink(settingsOf({ file }), Math.random);
  sink.put(sample(7));
  await sink.close();
  expect(await linesOf(file)).toEqual([
    {
      time: '2026-01-02T00:00:00.000Z',
      model: 'flights',
      version: '3',
      digest: 'sha256:abc',
      id: 'r7',
      request: { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [7, 'NaN'] }], outputs: [{ name: 'y' }] },
      response: { outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [14] }] },
    },
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(sink.counts).toEqual({ sent: 1, dropped: 0, waiting: 0 });
});

test('a full file is kept once, and there are never more than two', async () => {
  const folder = await temporaryFolder('samples');
  const file = join(folder, 'samples.jsonl');
  const sink = openSampleSink(settingsOf({ file, maxBytes: 2000 }), Math.random);
  for (let n = 0; n < 100; n++) sink.put(sample(n));
  await sink.close();
  expect((await readdir(folder)).sort()).toEqual(['samples.jsonl', 'samples.jsonl.1']);
  for (const path of [file, `${file}.1`]) expect((await stat(path)).size).toBeLessThanOrEqual(2000);
  const kept = [...(await linesOf(`${file}.1`)), ...(await linesOf(file))].map(({ id }) => id);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => `r${100 - kept.length + i}`));
  expect(sink.counts).toMatchObject({ sent: 100, dropped: 0 });
});

test('a file of a run before is gone on with', async () => {
  const file = join(await temporaryFolder('samples'), 'samples.jsonl');
  for (const n of [1, 2]) {
    const sink = openSampleSink(settingsOf({ file }), Math.random);
    sink.put(sample(n));
    await sink.close();
  }
  expect((await linesOf(file)).map(({ id }) => id)).toEqual(['r1', 'r2']);
});

test('a volume that is gone for a while costs no line, and none is torn', async () => {
  const folder = await temporaryFolder('samples');
  const file = new RotatingFile(join(folder, 'volume', 'samples.jsonl'), 10_000);
  expect(await file.append(['a\n'])).toEqual({ laterMs: undefined });
  await mkdir(join(folder, 'volume'));
  expect(await file.append(['a\n'])).toBe('sent');
  await file.close();
  await rm(join(folder, 'volume'), { recursive: true });
  expect(await file.append(['b\n'])).toEqual({ laterMs: undefined });
  expect(await file.append(['x'.repeat(10_001)])).toBe('refused');
});

test('a file that nobody may write is refused at the start', async () => {
  const file = join(await temporaryFolder('samples'), 'nowhere', 'samples.jsonl');
  expect(() => checkSampleFile(settingsOf({ file }))).toThrow(/samples.file can't be written: .*no such file/);
});

test('samples are posted as a batch of CloudEvents', async () => {
  const posts: { type: string | undefined; events: Record<string, unknown>[] }[] = [];
  const server = await httpServer(async (request, response) => {
    posts.push({ type: request.headers['content-type'], events: JSON.parse((await bodyOf(request)).toString()) });
    response.end();
  });
  servers.push(server);
  const sink = openSampleSink(settingsOf({ url: server.url }), Math.random);
  for (const n of [1, 2]) sink.put(sample(n));
  await sink.close();
  expect(posts).toHaveLength(1);
  expect(posts[0]?.type).toBe('application/cloudevents-batch+json');
  const events = posts[0]?.events ?? [];
  expect(events[0]).toMatchObject({
    specversion: '1.0',
    type: 'dev.slipway.sample',
    source: '/slipway/models/flights/versions/3',
    time: '2026-01-02T00:00:00.000Z',
    data: { id: 'r1', response: { outputs: [{ data: [2] }] } },
  });
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
});

test('a receiver that is gone costs samples, and they are counted', async () => {
  const sink = openSampleSink(settingsOf({ url: await refusingUrl(), maxBytes: 3000 }), Math.random);
  for (let n = 0; n < 100; n++) sink.put(sample(n));
  const { dropped, waiting } = sink.counts;
  expect(waiting).toBeGreaterThan(2);
  expect(dropped + waiting).toBe(100);
  await sink.close();
  expect(sink.counts).toEqual({ sent: 0, dropped: 100, waiting: 0 });
});

test.each([
  ['neither', {}],
  ['both', { file: 'samples.jsonl', url: 'http://collector' }],
])('a file or a url must be given: %s', (_, samples) => {
  expect(() => settingsOf(samples)).toThrow('Write samples either to a file or to a url.');
});
