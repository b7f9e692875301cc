import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { progressSchema } from '@slipway/crds/contract';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { trainingJobAttempt } from '@slipway/operator/render/trainingJob.ts';
import { createMetrics } from '@slipway/operator/telemetry/metrics.ts';
import { readingOf } from '@slipway/runtime/agent/progress.ts';
import { expect, test } from 'vitest';
import { sampleJob } from '../pytorch/local/rank.ts';
import { tableOf } from './page.ts';

const page = await readFile(join(repositoryRoot, 'docs', 'training-container.md'), 'utf8');
const coded = (cell = ''): string => /`([^`]+)`/.exec(cell)?.[1] ?? '';
const runtime = { image: 'runtime', pullPolicy: 'IfNotPresent' as const };

const bare = await sampleJob();
const job = {
  ...bare,
  spec: { ...bare.spec, datasets: [{ name: 'train', uri: 's3://lake/train', unpinned: true }] },
  status: { version: '1.0.0' },
};
const trainer = (of: typeof bare) => trainingJobAttempt(of, 1, runtime).spec?.template.spec?.containers[0];

test('the table of variables names what the trainer of a job with data sets gets, and nothing else', () => {
  const listed = tableOf(page, 'Variable', 'Value', 'When').map(([name]) => coded(name));
  const rendered = new Set(
    trainer(job)?.env?.map(({ name }) => name.replace(/^SLIPWAY_PARAM_.*/, 'SLIPWAY_PARAM_<NAME>')),
  );
  expect([...rendered].sort()).toEqual([...listed].sort());
});

test('values that the table gives are those that are rendered', () => {
  const env = new Map(trainer(job)?.env?.map(({ name, value }) => [name, value]));
  for (const [name, value] of tableOf(page, 'Variable', 'Value', 'When')) {
    if (/^`[^`]+`$/.test(value ?? '')) expect([coded(name), env.get(coded(name))]).toEqual([coded(name), coded(value)]);
  }
});

test('a variable that is said to come with data sets or with several pods comes with them alone', () => {
  const { datasets: _, ...spec } = job.spec;
  const single = new Set(trainer({ ...bare, spec: { ...spec, nodes: 1 } })?.env?.map(({ name }) => name));
  for (const [name, , when] of tableOf(page, 'Variable', 'Value', 'When')) {
    if (when === 'with data sets' || when === 'with several pods') expect(single).not.toContain(coded(name));
    if (when === 'always') expect(single).toContain(coded(name));
  }
});

test('the table of directories names what is mounted into the trainer', () => {
  const mounted = trainer(job)?.volumeMounts?.flatMap(({ mountPath }) => (mountPath === '/tmp' ? [] : [mountPath]));
  expect(
    tableOf(page, 'Directory', 'Written by', 'What it is')
      .map(([path]) => coded(path))
      .sort(),
  ).toEqual(mounted?.sort());
});

test('the example of a progress report is one, and its sources are all that there are', () => {
  const ways = tableOf(page, 'Way', 'Source', 'What it takes');
  const example = coded(ways[0]?.[2]).replace('<RFC 3339>', '2026-01-01T00:00:00Z');
  expect(readingOf(example)).toMatchObject({ kind: 'report', progress: { step: 120, total: 400 } });
  expect([...new Set(ways.map(([, source]) => coded(source)))]).toEqual(progressSchema.shape.source.unwrap().options);
});

test('the table of metrics names all that the operator has on training, with their labels', async () => {
  const { registry, training: meter } = createMetrics(() => new Date(0));
  const failed = [{ attempt: 0, class: 'OutOfMemory' as const, endedAt: '2026-01-01T00:00:00Z', message: '' }];
  const progress = { step: 1, total: 2, metrics: { loss: '1' } };
  const running = { phase: 'Running' as const, attemptStartedAt: '2026-01-01T00:00:00Z', progress };
  const sight = { namespace: 'ml', name: 'a', stallTimeoutMs: 1 };
  meter.saw({ ...sight, status: {} });
  meter.saw({ ...sight, status: { ...running, attempts: failed } });
  const all = await registry.getMetricsAsJSON();
  const shown = all
    .filter(({ name }) => name.startsWith('slipway_training_'))
    .map(({ name, values }) => [name, Object.keys(values[0]?.labels ?? {}).join(', ')]);
  const listed = tableOf(page, 'Metric', 'Labels', 'What it says').map(([name, labels]) => [coded(name), labels]);
  expect(shown.sort()).toEqual(listed.toSorted());
});

test('every test that the page names is there', () => {
  const named = [...page.matchAll(/`([\w/]+\.test\.ts)`/g)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
});
