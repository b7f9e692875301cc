import { type Baseline, METRICS, type Summarised } from '@slipway/crds/contract';
import { modelSettingsSchema } from '@slipway/crds/serving';
import parse from 'parse-prometheus-text-format';
import { describe, expect, test } from 'vitest';
import type { Scheduler, SchedulerCounts } from '../../batching/scheduler.ts';
import { roomFor, type TensorValue } from '../../tensor.ts';
import { Refusals } from '../refusals.ts';
import { answered, BASELINE, evidenceWith, START } from '../testing/evidence.ts';
import { SERIES_BUDGET } from './dataFamilies.ts';
import { type ExposedModel, exposition } from './exposition.ts';
import { watchProcess } from './processMetrics.ts';

const NOW = START.getTime();
const COUNTS: SchedulerCounts = {
  waiting: 8,
  running: 1,
  runs: 5,
  rows: 9,
  overloaded: 3,
  tooLate: 2,
  cancelledQueued: 1,
  cancelledRunning: 1,
  failedRuns: 4,
  cacheHits: 6,
  cacheMisses: 7,
  shared: 1,
  runsByRows: new Map(),
};
const process = {
  ready: true,
  draining: false,
  inFlight: 3,
  refused: new Refusals().read(),
  passedOn: { forwarded: 3, failed: 1 },
  observed: { traces: { sent: 5, dropped: 2 }, samples: { sent: 7, dropped: 0 } },
  build: { runtime: '0.1.0', node: 'v24', onnxruntime: '1.30.0' },
};

function modelOf(name: string, baseline: Baseline | undefined = undefined): ExposedModel {
  const scheduler = { counts: () => COUNTS } as Scheduler;
  return {
    identity: { name, version: '1', digest: 'sha256:00' },
    settings: modelSettingsSchema.parse({ engine: { instances: 2 }, batching: { maxSize: 16 } }),
    scheduler,
    evidence: evidenceWith({ baseline }),
  };
}

/** Twenty answers of three probabilities, and a label for one. */
function labelled(model: ExposedModel): ExposedModel {
  const elements = Float32Array.from({ length: 60 }, (_, i) => (i % 3 === 1 ? 0.75 : 0.125));
  model.evidence.remember('a', [{ name: 'scores', datatype: 'FP32', shape: [20, 3], elements }], NOW);
  model.evidence.label('a#0', 1, NOW);
  return model;
}

/** Samples of a family by their labels (without those of the model), as the parser reads them. */
function samplesOf(text: string, name: string): Record<string, string> {
  const family = parse(text).find((one) => one.name === name);
  return Object.fromEntries(
    (family?.metrics ?? []).map(({ labels = {}, value = '' }) => {
      const { model: _model, version: _version, ...own } = labels;
      return [Object.values(own).join('/'), value];
    }),
  );
}
const expose = (models: readonly ExposedModel[], tritonNames = false) => exposition(models, process, { tritonNames });

describe('the metrics of a process', () => {
  test('are read by a parser, each family once, with the samples of all models', () => {
    const models = ['flights', 'odd "name"\\\n'].map((name) => labelled(modelOf(name, BASELINE)));
    const families = parse(expose(models, true));
    const names = families.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(Object.values(METRICS).filter((name) => name !== METRICS.shadow)));
    expect(families.every(({ help, metrics }) => help.length > 10 && metrics.length > 0)).toBe(true);
    const named = families.find(({ name }) => name === METRICS.info)?.metrics.map(({ labels }) => labels?.['model']);
    expect(named).toEqual(['flights', 'odd "name"\\\n']);
  });

  test('have requests by outcome and protocol', () => {
    const model = modelOf('flights');
    model.evidence.answered(answered('ok', 1), NOW);
    model.evidence.answered(answered('ok', 1, { protocol: 'grpc' }), NOW);
    model.evidence.answered(answered('shed', 1), NOW);
    expect(samplesOf(expose([model]), METRICS.requests)).toMatchObject({
      'ok/rest': '1',
      'ok/grpc': '1',
      'shed/rest': '1',
      'serverError/rest': '0',
    });
  });

  test('triton#7672, #3060: have times in seconds, each bucket with those below it', () => {
    const model = modelOf('flights');
    for (const ms of [0.2, 5, 5.1, 60_000]) model.evidence.answered(answered('ok', ms), NOW);
    const text = expose([model]);
    expect(text).toContain(`${METRICS.latency}_count{model="flights",version="1"} 4\n`);
    expect(text).toContain(`${METRICS.latency}_sum{model="flights",version="1"} 60.0103\n`);
    const [latency] = parse(text).find(({ name }) => name === METRICS.latency)?.metrics ?? [];
    expect(latency?.buckets).toMatchObject({
      '0.0001': '0',
      '0.00025': '1',
      '0.005': '2',
      '0.0075': '3',
      '10': '3',
      '+Inf': '4',
    });
  });

  test('have the bounds of OpenTelemetry among their own', () => {
    const [latency] = parse(expose([modelOf('flights')])).find(({ name }) => name === METRICS.latency)?.metrics ?? [];
    // http.server.request.duration in OpenTelemetry's semantic conventions, seconds.
    const otel = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    expect(Object.keys(latency?.buckets ?? {})).toEqual(expect.arrayContaining(otel.map(String)));
  });

  test('say how full the engine is, and what was turned away and why', () => {
    const text = expose([modelOf('flights')]);
    expect(samplesOf(text, METRICS.saturation)).toEqual({ '': '0.25' });
    expect(samplesOf(text, METRICS.shed)).toEqual({ overloaded: '3', tooLate: '2' });
    expect(samplesOf(text, METRICS.cancelled)).toEqual({ queued: '1', running: '1' });
    expect(samplesOf(text, METRICS.cache)).toEqual({ hit: '6', miss: '7', shared: '1' });
  });

  test('count what was refused before it reached a model', () => {
    const refusals = new Refusals();
    refusals.count('rateLimited');
    refusals.count('rateLimited');
    const text = exposition([], { ...process, refused: refusals.read() }, { tritonNames: false });
    expect(samplesOf(text, METRICS.refused)).toMatchObject({ rateLimited: '2', unauthorized: '0' });
  });

  test('count whose requests were passed on to the other version, and for whom that failed', () => {
    expect(samplesOf(expose([]), METRICS.sessionForwards)).toEqual({ forwarded: '3', failed: '1' });
  });

  test('tell how many traces and samples never arrived', () => {
    const text = expose([]);
    for (const [kind, result, count] of [
      ['traces', 'sent', 5],
      ['traces', 'dropped', 2],
      ['samples', 'sent', 7],
      ['samples', 'dropped', 0],
    ])
      expect(text).toContain(`${METRICS.observations}{kind="${kind}",result="${result}"} ${count}\n`);
  });

  test('have how sure the model was of labelled answers, by the upper edge of its bin, of a model that tells it', () => {
    const text = expose([labelled(modelOf('flights')), modelOf('other')]);
    const bins = ['0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1'];
    const inBin8 = (value: string) => Object.fromEntries(bins.map((bin) => [bin, bin === '0.8' ? value : '0']));
    expect(samplesOf(text, METRICS.calibrationAnswers)).toEqual(inBin8('1'));
    expect(samplesOf(text, METRICS.calibrationRight)).toEqual(inBin8('1'));
    expect(samplesOf(text, METRICS.calibrationConfidence)).toEqual(inBin8('0.75'));
    expect(text.split('\n').filter((line) => line.startsWith(METRICS.calibrationAnswers))).toHaveLength(bins.length);
  });

  test('have the shadow of a model that has one', () => {
    const shadow = { order: 'o', compared: 10, disagreed: 2, skipped: 1, failed: 0 };
    const text = expose([{ ...modelOf('flights'), shadow }, modelOf('other')]);
    expect(samplesOf(text, METRICS.shadow)).toEqual({ agreed: '8', disagreed: '2', skipped: '1', failed: '0' });
    expect(text.split('\n').filter((line) => line.startsWith(METRICS.shadow))).toHaveLength(4);
  });

  test('have no double series with those of the process', async () => {
    const text = expose([modelOf('flights', BASELINE)], true) + (await watchProcess()());
    const series = text
      .split('\n')
      .flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.replace(/ \S+$/, '')]));
    expect(new Set(series).size).toBe(series.length);
    expect(parse(text).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_version_info']),
    );
  });
});

describe("Triton's names", () => {
  test('are there when asked for only', () => {
    expect(expose([modelOf('flights')])).not.toContain('nv_');
    expect(expose([modelOf('flights')], true)).toContain('nv_inference_exec_count{model="flights",version="1"} 0');
  });

  test('count failures by reason, a caller that left once, and times in microseconds', () => {
    const model = modelOf('flights');
    model.evidence.answered(answered('ok', 1.5, { queueMs: 0.5, computeMs: 0.75 }), NOW);
    for (const outcome of ['clientError', 'clientError', 'clientError', 'serverError', 'shed'] as const) {
      model.evidence.answered(answered(outcome, 1), NOW);
    }
    const text = expose([model], true);
    expect(samplesOf(text, 'nv_inference_request_failure')).toEqual({
      REJECTED: '1',
      CANCELED: '2',
      BACKEND: '1',
      OTHER: '1',
    });
    expect(samplesOf(text, 'nv_inference_request_success')).toEqual({ '': '1' });
    expect(samplesOf(text, 'nv_inference_request_duration_us')).toEqual({ '': '1500' });
    expect(samplesOf(text, 'nv_inference_queue_duration_us')).toEqual({ '': '500' });
    expect(samplesOf(text, 'nv_inference_compute_infer_duration_us')).toEqual({ '': '750' });
    expect(samplesOf(text, 'nv_inference_pending_request_count')).toEqual({ '': '8' });
  });
});

describe('features in the metrics', () => {
  const x: TensorValue = { name: 'x', datatype: 'FP32', shape: [1, 2], elements: roomFor('FP32', 2) };
  (x.elements as Float32Array)[1] = 20;
  const colour: TensorValue = { name: 'colour', datatype: 'BYTES', shape: [1, 1], elements: ['say "blue"'] };

  test('are counted by bin and by fault', () => {
    const model = modelOf('flights', BASELINE);
    model.evidence.ran([x, colour], [], 1);
    const text = expose([model]);
    expect(samplesOf(text, METRICS.featureValues)).toEqual({
      'distance/2': '0',
      'distance/6': '0',
      'distance/+Inf': '1',
      'colour/red': '0',
      'colour/say "blue"': '1',
      'colour/other': '0',
    });
    expect(samplesOf(text, METRICS.featureFaults)).toMatchObject({ 'distance/outOfRange': '1', 'colour/unseen': '0' });
  });

  test('never make more series than their budget, and say how many are left out', () => {
    const [distance] = BASELINE.features as [Summarised];
    const features = Array.from({ length: 500 }, (_, i) => ({ ...distance, name: `f${i}` }));
    const text = expose([modelOf('flights', { ...BASELINE, features })]);
    const series = text.split('\n').filter((line) => /^slipway_(feature|prediction)_/.test(line)).length;
    expect(series).toBeLessThanOrEqual(SERIES_BUDGET);
    expect(series).toBeGreaterThan(SERIES_BUDGET - 10);
    // Each feature has 3 bins and 4 faults, the prediction 2 and 4.
    expect(samplesOf(text, METRICS.omittedSeries)).toEqual({ '': `${500 * 7 + 6 - series}` });
  });

  test('have short names that differ, however long and alike theirs are', () => {
    const [distance, colour] = BASELINE.features as [Summarised, Summarised];
    const long = 'a'.repeat(100);
    const categories = ['other', `${long}1`, `${long}2`].map((value) => ({ value, count: 1 }));
    const features = [
      { ...distance, name: `${long}1` },
      { ...distance, name: `${long}2` },
      { ...colour, categories } as Summarised,
    ];
    const lines = expose([modelOf('flights', { ...BASELINE, features })]).split('\n');
    const series = lines
      .filter((line) => line.startsWith(METRICS.featureValues))
      .map((line) => line.replace(/ \d+$/, ''));
    expect(series).toHaveLength(3 + 3 + 4);
    expect(new Set(series).size).toBe(series.length);
    expect(Math.max(...series.map((line) => line.length))).toBeLessThan(250);
  });
});
