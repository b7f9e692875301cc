import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BASELINE_SCHEMA, FILES, type Signature } from '@slipway/crds/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../artifact/failure.ts';
import { mutated } from '../test/mutations.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { parseKeys } from './access/apiKeys.ts';
import { countCores } from './engine/cores.ts';
import { readBaseline } from './evidence/baseline.ts';
import { readModelFiles } from './models/modelFiles.ts';
import { parseSettings } from './settings.ts';

/** Fuzz targets of what the server reads from disk: a good document with random changes is read or refused in one sentence. */
const kept = (...texts: readonly string[]) =>
  mutated(texts.map((text, i) => ({ name: String(i), bytes: Buffer.from(text), headerLength: undefined }))).map(
    ({ bytes }) => bytes,
  );

const runs = (numRuns: number) => (process.env['SLIPWAY_PROPERTY_RUNS'] === undefined ? { numRuns } : {});

async function readOrRefused<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).message).toMatch(/^[^\n]{5,2000}[.]$/);
    return undefined;
  }
}

const keysText = ['# of the shop', `shop sha256:${'a1'.repeat(32)}`, '', `other sha256:${'B2'.repeat(32)}`].join('\n');

test('any keys file is read or refused, and the refusal repeats no line of it', async () => {
  await fc.assert(
    fc.asyncProperty(kept(keysText), async (bytes) => {
      const text = bytes.toString('utf8');
      const read = await readOrRefused(() => parseKeys(text));
      for (const { name, digest } of read ?? []) {
        expect(digest).toHaveLength(32);
        expect(text).toContain(name);
      }
    }),
    runs(1000),
  );
  expect(parseKeys(keysText)).toHaveLength(2);
  const secret = 'shop sha256:hunter2-hunter2';
  expect(() => parseKeys(secret)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }));
});

const settingsText = JSON.stringify({
  auth: { keysFile: 'keys' },
  limits: { maxBodyBytes: 1000, rate: { requestsPerSecond: 50, burst: 100 } },
  batching: { maxSize: 64, preferredSizes: [8, 16] },
  models: { flights: { engine: { threads: 2 }, nonFinite: 'Null' } },
  tracing: { endpoint: 'http://collector:4318', share: 0.5 },
});

test('any settings are read or refused by name', async () => {
  await fc.assert(
    fc.asyncProperty(kept(settingsText), async (bytes) => {
      const settings = await readOrRefused(() => parseSettings(bytes.toString('utf8'), 'settings.json'));
      if (settings) expect(settings.of('flights').batching.maxSize).toBeGreaterThan(0);
    }),
    runs(1000),
  );
  expect(parseSettings(settingsText, 'settings.json').of('flights').nonFinite).toBe('Null');
});

const signature: Signature = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'departure_hour'] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
};
const golden = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 2], data: [900, 19] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [0.2, 0.8] }],
};

const folder = await temporaryFolder('fuzzed');
await writeFile(join(folder, FILES.model), '');

test.each([
  [FILES.signature, JSON.stringify(signature)],
  [FILES.golden, `${JSON.stringify(golden)}\n\n${JSON.stringify(golden)}\n`],
  [FILES.labels, 'on time\r\nlate\n'],
  [FILES.tokenizer, JSON.stringify({ model: { type: 'WordPiece', vocab: { '[UNK]': 0 } } })],
])('any %s is read or refused', async (name, text) => {
  const path = join(folder, name);
  await fc.assert(
    fc.asyncProperty(kept(text), async (bytes) => {
      await writeFile(path, bytes);
      const files = await readOrRefused(() => readModelFiles(folder));
      for (const label of files?.labels ?? []) expect(label.trim()).toBe(label);
    }),
    runs(300),
  );
  await writeFile(path, text);
  expect(await readOrRefused(() => readModelFiles(folder))).toBeDefined();
});

const baseline = {
  schema: BASELINE_SCHEMA,
  features: [
    {
      name: 'distance',
      tensor: 'features',
      index: 0,
      kind: 'numeric',
      count: 10,
      mean: 5,
      m2: 4,
      min: 1,
      max: 9,
      bins: { edges: [3, 6], counts: [3, 3, 3] },
    },
    {
      name: 'departure_hour',
      tensor: 'features',
      index: 1,
      kind: 'categorical',
      count: 10,
      categories: [{ value: 19, count: 9 }],
      other: 1,
    },
  ],
  predictions: [],
};

test('any baseline.json is read or refused, and what is read fits the model', async () => {
  const path = join(folder, FILES.baseline);
  const text = JSON.stringify(baseline);
  await fc.assert(
    fc.asyncProperty(kept(text), async (bytes) => {
      await writeFile(path, bytes);
      const read = await readOrRefused(() => readBaseline(folder, signature));
      for (const { tensor, index } of read?.features ?? []) expect([tensor, index < 2]).toEqual(['features', true]);
    }),
    runs(500),
  );
  await writeFile(path, text);
  expect(await readOrRefused(() => readBaseline(folder, signature))).toBeDefined();
});

test('any control group leaves a whole number of CPUs, between one and those that are visible', async () => {
  const group = kept('0::/kubepods/pod1/main\n', '3:cpu,cpuacct:/pod1/main\n1:name=systemd:/\n');
  const quota = kept('250000 100000\n', 'max 100000\n', '-1\n', '100000\n');
  await fc.assert(
    fc.asyncProperty(group, quota, quota, async (cgroup, limit, period) => {
      const read = async (path: string) => {
        if (path === '/proc/self/cgroup') return cgroup.toString('utf8');
        return (path.endsWith('period_us') ? period : limit).toString('utf8');
      };
      const { count } = await countCores({ read, visible: 8 });
      expect([Number.isInteger(count), count >= 1, count <= 8]).toEqual([true, true, true]);
    }),
    runs(500),
  );
});
