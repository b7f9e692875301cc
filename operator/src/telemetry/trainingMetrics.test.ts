import { Registry } from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { LossWatch, lossOf } from './lossWatch.ts';
import { MOST_JOBS, type TrainingMeter, type TrainingSight, trainingMeter } from './trainingMetrics.ts';

const AT = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(AT + seconds * 1000).toISOString().replace('.000Z', 'Z');

let registry: Registry;
let meter: TrainingMeter;
let seconds: number;
beforeEach(() => {
  registry = new Registry();
  seconds = 0;
  meter = trainingMeter(registry, () => new Date(AT + seconds * 1000));
});

type Status = TrainingSight['status'];
const running = (over: Partial<Status> = {}): Status => ({
  phase: 'Running',
  attempt: 0,
  attemptStartedAt: at(0),
  ...over,
});
const saw = (status: Status, over: Partial<TrainingSight> = {}) =>
  meter.saw({ namespace: 'ml', name: 'nightly', stallTimeoutMs: undefined, ...over, status });
const lines = async (name: string) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(`slipway_training_${name}`));

describe('the metrics of training', () => {
  test('show how far a running job is, and nothing of it once it has ended', async () => {
    saw(running({ progress: { step: 30, total: 120, since: at(0) } }));
    seconds = 42;
    expect(await lines('step')).toEqual(['slipway_training_step{namespace="ml",job="nightly"} 30']);
    expect(await lines('progress_ratio')).toEqual([
      'slipway_training_progress_ratio{namespace="ml",job="nightly"} 0.25',
    ]);
    expect(await lines('seconds_since_progress')).toEqual([
      'slipway_training_seconds_since_progress{namespace="ml",job="nightly"} 42',
    ]);
    saw({ phase: 'Succeeded', attempt: 0, progress: { step: 120 } });
    expect((await registry.metrics()).match(/job="nightly"/)).toBeNull();
    expect(await lines('jobs')).toContain('slipway_training_jobs{phase="Succeeded"} 1');
  });

  test('a job that is gone is counted no more', async () => {
    saw(running());
    meter.gone('ml', 'nightly');
    expect(await lines('jobs')).toContain('slipway_training_jobs{phase="Running"} 0');
    expect((await registry.metrics()).match(/job="nightly"/)).toBeNull();
  });

  test('a job is stalled by its own stallTimeout, from its last progress or from the start of the attempt', async () => {
    saw(running({ progress: { step: 1, since: at(-600) } }), { stallTimeoutMs: 60_000 });
    seconds = 59;
    expect(await lines('stalled')).toEqual(['slipway_training_stalled{namespace="ml",job="nightly"} 0']);
    seconds = 61;
    expect(await lines('stalled')).toEqual(['slipway_training_stalled{namespace="ml",job="nightly"} 1']);
  });

  test('attempts and their ends are counted once, by class, and not again by an operator that comes later', async () => {
    const before = [{ attempt: 0, class: 'UserError' as const, endedAt: at(0), message: 'x' }];
    saw({ phase: 'Pending', attempt: 1, attempts: before });
    saw(running({ attempt: 1, attempts: before, attemptStartedAt: at(5) }));
    saw(running({ attempt: 1, attempts: before, attemptStartedAt: at(5) }));
    const failed = [...before, { attempt: 1, class: 'OutOfMemory' as const, endedAt: at(9), message: 'y' }];
    saw({ phase: 'Pending', attempt: 2, attempts: failed });
    saw({ phase: 'Pending', attempt: 2, attempts: failed });
    expect(await lines('attempts_total')).toEqual(['slipway_training_attempts_total{namespace="ml"} 1']);
    expect(await lines('failed_attempts_total')).toEqual([
      'slipway_training_failed_attempts_total{namespace="ml",class="OutOfMemory"} 1',
    ]);
  });

  test('a metric that is no number is news once an attempt, and counted at each step', async () => {
    const broken = (step: number, attempt = 0) =>
      running({ attempt, progress: { step, metrics: { loss: 'NaN', lr: '1' } } });
    expect(saw(running({ progress: { step: 1, metrics: { loss: '1' } } }))).toEqual([]);
    expect(saw(broken(2))).toEqual(['loss']);
    expect(saw(broken(2))).toEqual([]);
    expect(saw(broken(3))).toEqual([]);
    expect(saw(broken(4, 1))).toEqual(['loss']);
    expect(await lines('non_finite_metrics_total')).toEqual([
      'slipway_training_non_finite_metrics_total{namespace="ml"} 3',
    ]);
  });

  test('jobs beyond the bound have no series, and are counted', async () => {
    for (let i = 0; i < MOST_JOBS + 3; i++) saw(running({ progress: { step: 1 } }), { name: `job-${i}` });
    expect(await lines('step{')).toHaveLength(MOST_JOBS);
    expect(await lines('omitted_jobs')).toEqual(['slipway_training_omitted_jobs 3']);
  });

  test('a loss spike shows while it lasts', async () => {
    const look = (step: number, loss: number) => saw(running({ progress: { step, metrics: { loss: String(loss) } } }));
    [1, 1.1, 0.9, 1, 1].forEach((loss, i) => {
      look(i, loss);
    });
    look(6, 3.2);
    expect(await lines('loss_spike')).toEqual(['slipway_training_loss_spike{namespace="ml",job="nightly"} 1']);
    look(7, 1.2);
    expect(await lines('loss_spike')).toEqual(['slipway_training_loss_spike{namespace="ml",job="nightly"} 0']);
  });
});

describe('the loss', () => {
  test.each([
    [{ loss: '1', train_loss: '2' }, 1],
    [{ 'train/loss': '2', eval_loss: '3' }, 2],
    [{ eval_loss: '3', accuracy: '1' }, undefined],
    [undefined, undefined],
  ])('of %j is %s', (metrics, want) => expect(lossOf(metrics)).toBe(want));

  test('spikes above three times the median, which one spike does not move', () => {
    const watch = new LossWatch();
    const seen = [9, 1, 1, 1, 1, 3.1, 1, 3.1, 2.9].map((loss) => watch.sees(loss));
    expect(seen).toEqual([false, false, false, false, false, true, false, true, false]);
  });

  test('that is no number is no spike', () => {
    const watch = new LossWatch();
    for (let i = 0; i < 9; i++) watch.sees(1);
    expect(watch.sees(Number.NaN)).toBe(false);
    expect(watch.sees(4)).toBe(true);
  });
});
