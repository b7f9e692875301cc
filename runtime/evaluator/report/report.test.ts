import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import type { Gate } from '@slipway/crds';
import { verificationReportSchema } from '@slipway/crds/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { statementSchema } from '../testing/intoto.ts';
import { orderOf, putArtifact, rivalOf, soundPredictions, specOf } from '../testing/store.ts';
import { verify } from '../verify.ts';
import type { ReportDocument } from './document.ts';
import { filesOf } from './leave.ts';

const GATES: Gate[] = [
  { name: 'accuracy', metric: 'accuracy', min: '0.60' },
  { name: 'no-regression', metric: 'accuracy', versus: 'Production', margin: '0.05' },
  { name: 'weekend', metric: 'accuracy', slice: 'weekend == 1', min: '0.50' },
  { name: 'fairness', metric: 'truePositiveRate', across: 'carrier', maxGap: '0.50' },
  { name: 'calibration', metric: 'expectedCalibrationError', max: '0.12' },
  { name: 'latency', latency: { p95: '2s', batch: 1, requests: 100 } },
  { name: 'parity', parity: { tolerance: '1e-4' } },
  { name: 'size', maxBytes: '5Mi' },
  { name: 'reported', reported: 'accuracy', min: '0.5' },
];
const PROVENANCE = {
  trainingJob: 'flights',
  trainingJobUid: 'e7b0',
  attempt: 2,
  source: { repository: 'https://bot:hunter2@git.example/flights', revision: 'a'.repeat(40) },
  image: `registry.example/flights@sha256:${'b'.repeat(64)}`,
  parameters: { lr: '0.01', apiKey: 'hunter2', max_tokens: '512' },
  datasets: [{ name: 'train', uri: 's3://lake/train', digest: `sha256:${'c'.repeat(64)}` }],
  parent: 'flights-1.3.0',
  startedAt: '2030-01-31T07:00:00Z',
  finishedAt: '2030-01-31T08:00:00Z',
};
const METRICS = { 'evaluation/metrics.json': '{"accuracy": 0.75}' };

let claims: string;
let left: Readonly<Record<string, string>>;
let report: ReportDocument;
let termination: Awaited<ReturnType<typeof verify>>;

beforeAll(async () => {
  claims = await temporaryFolder('claims');
  const rival = await putArtifact(claims, 'flights/old', soundPredictions());
  const digest = await putArtifact(claims, 'flights/new', soundPredictions(), METRICS);
  const spec = specOf('flights/new', digest, { provenance: PROVENANCE });
  termination = await verify(orderOf(claims, spec, GATES, [rivalOf('flights/old', rival)]));
  const folder = join(claims, 'models/flights/new.reports/flights-1.4.0');
  const names = await readdir(folder);
  left = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  );
  report = JSON.parse(left['report.json'] ?? '');
});

describe('a verified version', () => {
  it('leaves report, card, bill of materials and provenance beside its artifact, and says where', () => {
    expect(Object.keys(left).sort()).toEqual([
      'card.html',
      'card.md',
      'mlbom.cdx.json',
      'provenance.intoto.json',
      'report.json',
    ]);
    const digest = createHash('sha256')
      .update(left['report.json'] ?? '')
      .digest('hex');
    expect(verificationReportSchema.parse(termination).reports).toEqual({
      uri: 'pvc://models/flights/new.reports/flights-1.4.0',
      digest: `sha256:${digest}`,
    });
  });

  it('passes all of its gates', () => {
    expect(report.gates.map(({ name, verdict }) => [name, verdict])).toEqual(GATES.map(({ name }) => [name, 'Pass']));
  });

  it('reports every metric that its predictions allow, each inside its interval', () => {
    expect(report.metrics.map(({ metric }) => metric)).toContain('brier');
    for (const { value, low, high } of report.metrics) expect(low <= value && value <= high).toBe(true);
  });

  it('lists its slices worst first, numbers of many values in bands', () => {
    const values = report.slices.filter(({ isSmall }) => !isSmall).map(({ value }) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(report.slices.map(({ slice }) => slice)).toEqual(expect.arrayContaining(['weekend == 1', 'carrier == AA']));
    expect(report.slices.filter(({ column }) => column === 'distance')).toHaveLength(5);
  });

  it('tells that the held-out examples were used before', () => {
    expect(report.holdout).toMatchObject({ n: 600, looks: 2 });
    expect(report.warnings[0]).toContain('This is at least version 2 that is judged on the same 600 held-out examples');
  });

  it('tells nothing secret', () => {
    for (const [name, content] of Object.entries(left)) expect(content.includes('hunter2'), name).toBe(false);
    expect(report.provenance?.parameters).toEqual({ lr: '0.01', apiKey: '(redacted)', max_tokens: '512' });
    expect(report.provenance?.source?.repository).toBe('https://git.example/flights');
  });
});

describe('the third version on the same examples', () => {
  it('learns from the report beside its rival how many came before', async () => {
    const old = await putArtifact(claims, 'flights/new', soundPredictions(), METRICS);
    const digest = await putArtifact(claims, 'flights/third', soundPredictions());
    const spec = specOf('flights/third', digest, { version: '1.5.0' });
    await verify(orderOf(claims, spec, GATES.slice(0, 2), [rivalOf('flights/new', old)]));
    const text = await readFile(join(claims, 'models/flights/third.reports/flights-1.5.0/report.json'), 'utf8');
    expect(JSON.parse(text).holdout.looks).toBe(3);
  });
});

describe('the bill of materials', () => {
  it('is CycloneDX 1.6 by its own schema', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(left['mlbom.cdx.json'] ?? '')).toBeNull();
    const spoiled = JSON.stringify({ ...JSON.parse(left['mlbom.cdx.json'] ?? ''), specVersion: 7 });
    expect(await validator.validate(spoiled)).not.toBeNull();
  });

  it('has metrics with slice and interval', () => {
    const { metadata, components } = JSON.parse(left['mlbom.cdx.json'] ?? '');
    const { performanceMetrics } = metadata.component.modelCard.quantitativeAnalysis;
    expect(performanceMetrics).toContainEqual(
      expect.objectContaining({
        type: 'accuracy',
        slice: 'weekend == 1',
        confidenceInterval: expect.objectContaining({}),
      }),
    );
    expect(components.map((one: { name: string }) => one.name)).toEqual(
      expect.arrayContaining(['model.onnx', 'train', PROVENANCE.image]),
    );
  });
});

describe('the provenance', () => {
  const statement = () => statementSchema.parse(JSON.parse(left['provenance.intoto.json'] ?? ''));

  it('is an in-toto statement of SLSA provenance about this artifact', () => {
    expect(statement()).toMatchObject({
      subject: [{ name: 'flights-1.4.0', digest: { sha256: termination.digest.slice('sha256:'.length) } }],
      predicate: {
        buildDefinition: {
          externalParameters: { trainingJob: 'flights', parameters: { apiKey: '(redacted)' }, parent: 'flights-1.3.0' },
          internalParameters: { attempt: 2 },
        },
        runDetails: { metadata: { invocationId: 'e7b0/2', startedOn: '2030-01-31T07:00:00Z' } },
      },
    });
  });

  it('names image, commit and data by their digests, and the report', () => {
    const { buildDefinition, runDetails } = statement().predicate;
    expect(buildDefinition.resolvedDependencies).toEqual([
      { name: 'image', uri: PROVENANCE.image, digest: { sha256: 'b'.repeat(64) } },
      {
        name: 'source',
        uri: `git+https://git.example/flights@${'a'.repeat(40)}`,
        digest: { gitCommit: 'a'.repeat(40) },
      },
      { name: 'dataset/train', uri: 's3://lake/train', digest: { sha256: 'c'.repeat(64) } },
      { name: 'parent', uri: 'slipway:modelversion/flights-1.3.0' },
    ]);
    expect(runDetails.byproducts).toEqual([
      { name: 'report.json', digest: { sha256: termination.reports?.digest.slice('sha256:'.length) } },
    ]);
  });
});

describe('the card', () => {
  it.each(['What it is', 'Gates', 'Metrics', 'Slices', 'Fairness', 'Limits', 'Data', 'Parameters', 'Provenance'])(
    'has a section "%s" with something in it, as Markdown and as a page',
    (title) => {
      expect(left['card.md']).toMatch(RegExp(`\n## ${title}\n\n[^#]`));
      expect(left['card.html']).toContain(`<h2>${title}</h2>`);
    },
  );

  it('draws calibration, ranking, scores and slices', () => {
    for (const name of ['Calibration curve', 'ROC curve', 'Histogram of scores', 'accuracy by slice'])
      expect(left['card.html']).toContain(`aria-label="${name}"`);
    expect(left['card.html']).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('loads nothing from elsewhere and runs nothing', () => {
    expect(left['card.html']).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(left['card.html']).not.toMatch(/<script|<link|<img|\son\w+=|url\(|@import/i);
  });

  it('takes no markup from whoever trained the model', () => {
    const evil = '<script>alert(1)</script>|`x`\n# not a heading';
    const files = filesOf({
      ...report,
      warnings: [evil],
      provenance: { trainingJob: evil, parameters: { [evil]: evil }, datasets: [{ name: evil, uri: evil }] },
      slices: report.slices.map((row) => ({ ...row, slice: evil })),
    });
    expect(files['card.html']).not.toContain('<script');
    expect(files['card.md']).not.toMatch(/(?<!\\)<script|\n# not/);
  });

  it('shows its metrics to hubs that read a model-index', () => {
    expect(left['card.md']).toMatch(/^---\nlibrary_name: onnx\nmodel-index:\n {2}- name: flights-1\.4\.0\n/);
  });
});

describe('a store that takes no reports', () => {
  it('is said, and the version is judged all the same', async () => {
    const said: string[] = [];
    const own = await temporaryFolder('readonly');
    const digest = await putArtifact(own, 'flights/one', soundPredictions(200));
    const folder = join(own, 'models/flights');
    // A file where the folder of reports would be: what even an administrator's process cannot write through.
    await writeFile(`${folder}/one.reports`, '');
    const result = await verify(
      orderOf(own, specOf('flights/one', digest), GATES.slice(0, 1), [], (line) => said.push(line)),
    );
    expect(result.reports).toBeUndefined();
    expect(result.reportsSkipped).toMatch(/cannot be used: ENOTDIR/);
    expect(result.gates).toHaveLength(1);
    expect(said.some((line) => line.startsWith('no reports: '))).toBe(true);
  });
});

describe('a version without predictions', () => {
  it('has a card that says so', async () => {
    const digest = await putArtifact(claims, 'flights/bare', undefined);
    await verify(orderOf(claims, specOf('flights/bare', digest, { version: '2.0.0' }), []));
    const folder = join(claims, 'models/flights/bare.reports/flights-2.0.0');
    const card = await readFile(join(folder, 'card.md'), 'utf8');
    expect(card).toContain('There are no predictions to measure.');
    expect(card).toContain('The version declares no gates: only its digest was verified.');
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(await readFile(join(folder, 'mlbom.cdx.json'), 'utf8'))).toBeNull();
    expect(() => statementSchema.parse({})).toThrow();
  });

  it('of measurements draws its errors', async () => {
    const houses = Array.from({ length: 300 }, (_, id) => ({ id, label: id / 10, prediction: id / 10 + Math.sin(id) }));
    const digest = await putArtifact(claims, 'flights/houses', houses);
    const gates: Gate[] = [{ name: 'error', metric: 'meanAbsoluteError', max: '1' }];
    await verify(orderOf(claims, specOf('flights/houses', digest, { version: '3.0.0' }), gates));
    const page = await readFile(join(claims, 'models/flights/houses.reports/flights-3.0.0/card.html'), 'utf8');
    expect(page).toContain('aria-label="Errors over predictions"');
    expect(page).not.toContain('ROC curve');
  });
});
