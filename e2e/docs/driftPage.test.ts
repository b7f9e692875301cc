import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import type { Evidence } from '@slipway/crds/contract';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { parseConfig } from '@slipway/operator/config.ts';
import { baseline, driftSpec } from '@slipway/operator/domain/drift/builders.ts';
import { type Counts, countsOf, NO_BINS } from '@slipway/operator/domain/drift/counts.ts';
import { type Finding, judge } from '@slipway/operator/domain/drift/judge.ts';
import { DISTANCES, FAULTS, questions } from '@slipway/operator/domain/drift/questions.ts';
import { Dispersions } from '@slipway/operator/domain/drift/series.ts';
import { tell } from '@slipway/operator/domain/drift/told.ts';
import { MOST_FEATURES } from '@slipway/operator/telemetry/driftMetrics.ts';
import { createMetrics } from '@slipway/operator/telemetry/metrics.ts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { blocksOf, tableOf } from './page.ts';

const page = await readFile(join(repositoryRoot, 'docs', 'drift.md'), 'utf8');
const coded = (cell: string | undefined): string => /`([^`]+)`/.exec(cell ?? '')?.[1] ?? '';

const finding = (name: string, measure: Finding['measure'], numbers: Partial<Finding>): Finding => ({
  ...{ name, measure, bound: 0, n: 3120, drifted: true, reach: 1, value: 0, low: 0, high: 0, limit: '' },
  ...numbers,
});

test('the example of the page is a spec that the API takes, and names every field that there is', () => {
  const example = blocksOf(page).find(({ language }) => language === 'yaml');
  const { spec } = parse(example?.text ?? '') as { spec: { drift: Record<string, unknown> } };
  const { drift } = inferenceServiceSpecSchema.parse(spec);
  expect(drift).toMatchObject({ ...spec.drift, action: 'Alert' });
  const all = inferenceServiceSpecSchema.shape.drift.unwrap().shape;
  expect([...Object.keys(spec.drift), 'js', 'ks', 'action'].sort()).toEqual(Object.keys(all).sort());
  const byDefault = inferenceServiceSpecSchema.shape.drift.parse({});
  expect(byDefault).toMatchObject({ window: '1h', psi: '0.2', falseAlarms: { max: 1, per: '30d' }, minSamples: 200 });
});

test('the message of the page is what a watch says', () => {
  const findings = [
    finding('distance', 'psi', { value: 0.41, low: 0.35, high: 0.47, limit: '0.4' }),
    finding('hour', 'missing', { value: 0.14, low: 0.12, high: 0.16, limit: '10%' }),
  ];
  const sight = { kind: 'Judged', rows: 3120, findings, asked: new Set<string>(), notes: [] } as const;
  const { condition } = tell({}, sight, { spec: driftSpec(), version: '1.4.0', now: new Date() });
  expect(page).toContain(`\n${condition.message}\n`);
});

test('the message about calibration on the page is what a watch says', () => {
  const slot: Counts = {
    ...countsOf({} as Evidence),
    labels: { right: 150, wrong: 50 },
    calibration: NO_BINS.map((none, i) =>
      i === 8 ? { n: 60, right: 50, confidence: 51 } : i === 9 ? { n: 140, right: 100, confidence: 134 } : none,
    ),
  };
  const spec = driftSpec({ calibration: { max: '5%' } });
  const of = baseline([]);
  const dispersions = new Dispersions();
  const slots = Array.from({ length: 12 }, () => slot);
  for (const one of slots) dispersions.add(questions(spec, of), one);
  const findings = judge({ spec, baseline: of, slots, dispersions, everyMs: 300_000, before: new Set() });
  const sight = { kind: 'Judged', rows: 2400, findings, asked: new Set<string>(), notes: [] } as const;
  const { condition } = tell({}, sight, { spec, version: '1.4.0', now: new Date() });
  expect(page).toContain(`\n${condition.message}\n`);
});

test('the page explains each measure', () => {
  const rows = tableOf(page, 'Measure', 'What it is', 'Counts as drifted when');
  expect(rows.map(([cell]) => coded(cell))).toEqual([...DISTANCES, ...FAULTS, 'outliers', 'accuracy', 'calibration']);
});

test('the page lists the reasons that the condition has', () => {
  const rows = tableOf(page, 'Status', 'Reason', 'What it means');
  const reasons = rows.map(([status, reason]) => `${status} ${coded(reason)}`);
  const telling = { spec: driftSpec(), version: '1.4.0', now: new Date() };
  const judged = { kind: 'Judged', rows: 3120, asked: new Set<string>(), notes: [] } as const;
  const told = [
    tell({}, { ...judged, findings: [finding('distance', 'psi', { drifted: true })] }, telling),
    tell({}, { ...judged, findings: [finding('distance', 'psi', { drifted: false })] }, telling),
    tell({}, { ...judged, findings: [] }, telling),
    ...(['Blind', 'NoBaseline', 'BaselineMismatch'] as const).map((kind) => tell({}, { kind, message: '' }, telling)),
  ];
  expect(reasons).toEqual(told.map(({ condition }) => `${condition.status} ${condition.reason}`));
});

test('the page names the metrics that there are, and how often pods are read', async () => {
  const { registry } = createMetrics(() => new Date());
  const known = (await registry.getMetricsAsJSON()).map(({ name }) => name);
  const rows = tableOf(page, 'Metric', 'Labels', 'What it says');
  expect(rows.map(([cell]) => coded(cell)).sort()).toEqual(
    known.filter((name) => name.startsWith('slipway_drift')).sort(),
  );
  expect(page).toContain(`worst ${MOST_FEATURES} features`);
  const { driftPeriodMs } = parseConfig({ SLIPWAY_RUNTIME_IMAGE: 'example.com/runtime:1' });
  expect(page).toContain(`\`SLIPWAY_DRIFT_PERIOD_MS\` (${driftPeriodMs / 1000} s by default)`);
});
