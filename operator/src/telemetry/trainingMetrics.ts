import type { TrainingJobStatus } from '@slipway/crds';
import { TRAINING_PHASES } from '@slipway/crds';
import { Counter, Gauge, type Registry } from 'prom-client';
import { LossWatch, lossOf } from './lossWatch.ts';

type Progress = NonNullable<TrainingJobStatus['progress']>;

/** A TrainingJob as its metrics see it. */
export interface TrainingSight {
  readonly namespace: string;
  readonly name: string;
  readonly status: Pick<TrainingJobStatus, 'phase' | 'attempt' | 'attemptStartedAt' | 'attempts' | 'progress'>;
  /** spec.failure.stallTimeout; undefined: the job never counts as stalled. */
  readonly stallTimeoutMs: number | undefined;
}

/** Told what each pass over a TrainingJob saw. */
export interface TrainingMeter {
  /** Returns the metrics that are no finite number for the first time in this attempt: news, once. */
  saw(sight: TrainingSight): readonly string[];
  /** The TrainingJob is gone. */
  gone(namespace: string, name: string): void;
}

/** Jobs with series of their own at a time: a thousand that run at once must not cost a Prometheus its memory. */
export const MOST_JOBS = 500;

interface Memory {
  attempt: number;
  startedAt: string | undefined;
  phase: string | undefined;
  lastFailed: number;
  step: number | undefined;
  progress: Progress | undefined;
  stallTimeoutMs: number | undefined;
  readonly told: Set<string>;
  loss: LossWatch;
  hasSeries: boolean;
}

const lastFailed = ({ attempts = [] }: TrainingSight['status']): number =>
  Math.max(-1, ...attempts.map(({ attempt }) => attempt));

/** What was so before the operator looked is no news and was counted by the operator before it. */
const firstSight = ({ status, stallTimeoutMs }: TrainingSight): Memory => ({
  attempt: status.attempt ?? 0,
  startedAt: status.attemptStartedAt,
  phase: status.phase,
  lastFailed: lastFailed(status),
  step: undefined,
  progress: undefined,
  stallTimeoutMs,
  told: new Set(),
  loss: new LossWatch(),
  hasSeries: false,
});

const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity']);
const nonFinite = (progress: Progress | undefined): string[] =>
  Object.entries(progress?.metrics ?? {}).flatMap(([name, text]) => (NOT_FINITE.has(text) ? [name] : []));

/** Metrics of training, slipway_training_*. Series of a job stand while it runs, and go with it. */
export function trainingMeter(registry: Registry, now: () => Date): TrainingMeter {
  const registers = [registry];
  const ofJob = ['namespace', 'job'] as const;
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `slipway_training_${name}`, help, labelNames: ofJob, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `slipway_training_${name}`, help, labelNames, registers });

  const step = gauge('step', 'Steps done, as the trainer of a running job last reported.');
  const percent = gauge('progress_ratio', 'Steps done of steps in all, 0 to 1.');
  const spike = gauge('loss_spike', '1 while the last loss is above three times the median of the looks before it.');
  const broken = counter('non_finite_metrics_total', 'Metrics reported as NaN or infinite.', 'namespace');
  const started = counter('attempts_total', 'Attempts whose pods began.', 'namespace');
  const failed = counter('failed_attempts_total', 'Attempts that ended badly, by class.', 'namespace', 'class');
  const memories = new Map<string, Memory>();
  const labelsOf = (key: string) => {
    const [namespace = '', job = ''] = key.split('/');
    return { namespace, job };
  };
  const running = () => [...memories].filter(([, memory]) => memory.hasSeries);

  new Gauge({
    name: 'slipway_training_seconds_since_progress',
    help: 'Since step or metrics of a running job last changed.',
    labelNames: ofJob,
    registers,
    collect() {
      this.reset();
      for (const [key, memory] of running()) {
        const age = ageOf(memory, now());
        if (age !== undefined) this.set(labelsOf(key), age);
      }
    },
  });
  new Gauge({
    name: 'slipway_training_stalled',
    help: '1 while a running job made no progress for longer than its failure.stallTimeout.',
    labelNames: ofJob,
    registers,
    collect() {
      this.reset();
      for (const [key, memory] of running())
        if (memory.stallTimeoutMs !== undefined)
          this.set(labelsOf(key), (ageOf(memory, now()) ?? 0) * 1000 > memory.stallTimeoutMs ? 1 : 0);
    },
  });
  new Gauge({
    name: 'slipway_training_jobs',
    help: 'TrainingJobs by phase.',
    labelNames: ['phase'] as const,
    registers,
    collect() {
      for (const phase of TRAINING_PHASES)
        this.set({ phase }, [...memories.values()].filter((memory) => memory.phase === phase).length);
    },
  });
  new Gauge({
    name: 'slipway_training_omitted_jobs',
    help: `Running jobs without series of their own, as ${MOST_JOBS} have some.`,
    registers,
    collect() {
      const all = [...memories.values()].filter(({ phase }) => phase === 'Running').length;
      this.set(all - running().length);
    },
  });

  const clear = (key: string, memory: Memory): void => {
    for (const metric of [step, percent, spike]) metric.remove(labelsOf(key));
    memory.hasSeries = false;
  };

  const show = (key: string, memory: Memory, progress: Progress | undefined): void => {
    if (!memory.hasSeries && running().length >= MOST_JOBS) return;
    memory.hasSeries = true;
    if (progress === undefined) return;
    const labels = labelsOf(key);
    step.set(labels, progress.step);
    if (progress.total) percent.set(labels, Math.min(1, progress.step / progress.total));
    const loss = lossOf(progress.metrics);
    if (loss !== undefined && progress.step !== memory.step) spike.set(labels, memory.loss.sees(loss) ? 1 : 0);
  };

  const count = ({ namespace, status }: TrainingSight, memory: Memory): void => {
    if (status.attemptStartedAt !== undefined && status.attemptStartedAt !== memory.startedAt)
      started.inc({ namespace });
    for (const { attempt, class: cause } of status.attempts ?? [])
      if (attempt > memory.lastFailed) failed.inc({ namespace, class: cause });
    if (status.progress?.step !== memory.step) broken.inc({ namespace }, nonFinite(status.progress).length);
  };

  /** What was told of an attempt before is forgotten with it. */
  const begin = (memory: Memory, attempt: number): void => {
    if (memory.attempt === attempt) return;
    memory.attempt = attempt;
    memory.told.clear();
    memory.loss = new LossWatch();
  };

  return {
    saw(sight) {
      const { namespace, name, status } = sight;
      const key = `${namespace}/${name}`;
      const memory = memories.get(key) ?? firstSight(sight);
      memories.set(key, memory);
      begin(memory, status.attempt ?? 0);
      count(sight, memory);
      if (status.phase === 'Running') show(key, memory, status.progress);
      else clear(key, memory);
      const news = nonFinite(status.progress).filter((metric) => !memory.told.has(metric));
      for (const metric of news) memory.told.add(metric);
      memory.phase = status.phase;
      memory.startedAt = status.attemptStartedAt;
      memory.lastFailed = Math.max(memory.lastFailed, lastFailed(status));
      memory.step = status.progress?.step;
      memory.progress = status.progress;
      memory.stallTimeoutMs = sight.stallTimeoutMs;
      return news;
    },
    gone(namespace, name) {
      const key = `${namespace}/${name}`;
      const memory = memories.get(key);
      if (memory !== undefined) clear(key, memory);
      memories.delete(key);
    },
  };
}

/** Seconds since step or metrics last changed, or since the attempt began where that is later. */
function ageOf({ progress, startedAt }: Memory, now: Date): number | undefined {
  const times = [progress?.since ?? progress?.lastHeartbeat, startedAt].map((at) => Date.parse(at ?? ''));
  const since = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return Number.isFinite(since) ? Math.max(0, (now.getTime() - since) / 1000) : undefined;
}

/** For an operator whose numbers nobody reads. */
export const silentTrainingMeter: TrainingMeter = { saw: () => [], gone: () => undefined };
