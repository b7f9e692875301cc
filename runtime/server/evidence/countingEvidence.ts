import type { Baseline, Signature } from '@slipway/crds/contract';
import type { ModelSettings } from '@slipway/crds/serving';
import type { TensorValue } from '../tensor.ts';
import { BaselineComparison, comparisonWords } from './distribution/comparison.ts';
import { confidenceReader } from './labels/chosenConfidence.ts';
import { LABEL_WORDS, LateLabels } from './labels/lateLabels.ts';
import { predictionReader } from './labels/prediction.ts';
import { RememberedAnswers } from './labels/rememberedAnswers.ts';
import type { Answered, EvidenceCounts, ModelEvidence } from './modelEvidence.ts';
import { sectionsOf } from './sections.ts';
import type { EvidenceSnapshot } from './snapshot.ts';
import { TRAFFIC_WORDS, Traffic } from './traffic.ts';

export interface EvidenceOptions {
  /** What callers send and get. */
  readonly signature: Signature;
  /** Fits the signature (see readBaseline). */
  readonly baseline: Baseline | undefined;
  /** Names of the classes. */
  readonly labels: readonly string[] | undefined;
  readonly feedback: ModelSettings['feedback'];
  /** Differs from that of every other load of every model, for the counters of each begin at zero. */
  readonly epoch: string;
  readonly startedAt: Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const NOTHING: Baseline = { schema: 'slipway.dev/baseline/v1', features: [], predictions: [] };

/** Counts the traffic of one model version from its load on. One thread counts; the counters lie in shared memory. */
export class CountingEvidence implements ModelEvidence {
  readonly baseline: Baseline | undefined;
  /** Where the counters lie, for other threads. */
  readonly memory: SharedArrayBuffer;
  copying = 0;
  readonly #epoch: string;
  readonly #startedAt: string;
  readonly #traffic: Traffic;
  readonly #comparison: BaselineComparison | undefined;
  readonly #labels: LateLabels;

  constructor({ signature, baseline, labels, feedback, epoch, startedAt, random }: EvidenceOptions) {
    const sizes = { ...TRAFFIC_WORDS, labels: LABEL_WORDS, ...comparisonWords(baseline ?? NOTHING) };
    const { memory, sections } = sectionsOf(sizes);
    this.baseline = baseline;
    this.memory = memory;
    this.#epoch = epoch;
    this.#startedAt = startedAt.toISOString();
    this.#traffic = new Traffic(sections);
    this.#comparison = baseline && new BaselineComparison(baseline, signature, sections);
    const answers = new RememberedAnswers(feedback.maxAnswers, feedback.maxAgeSeconds * 1000, random);
    const prediction = predictionReader(signature, labels, baseline);
    const readers = { prediction, confidence: confidenceReader(signature, labels, prediction) };
    this.#labels = new LateLabels(readers, labels, answers, sections.labels);
  }

  answered(request: Answered, now: number): void {
    this.#traffic.answered(request, now);
  }

  copied(outcome: Parameters<ModelEvidence['copied']>[0]): void {
    this.#traffic.copied(outcome);
  }

  ran(inputs: readonly TensorValue[], outputs: readonly TensorValue[], rows: number): void {
    this.#traffic.ran(rows);
    this.#comparison?.ran(inputs, outputs, rows);
  }

  nonFinite(count: number): void {
    this.#traffic.nonFinite(count);
  }

  remember(id: string, outputs: readonly TensorValue[], now: number): void {
    this.#labels.remember(id, outputs, now);
  }

  label(id: string, label: string | number | boolean, now: number): 'right' | 'wrong' | 'unknown' {
    return this.#labels.label(id, label, now);
  }

  countUnknownLabels(labels: number): void {
    this.#labels.countUnknown(labels);
  }

  snapshot(): EvidenceSnapshot {
    return this.#traffic.snapshot();
  }

  counts(): EvidenceCounts {
    const comparison = this.#comparison;
    return {
      epoch: this.#epoch,
      startedAt: this.#startedAt,
      ...this.#traffic.counts(),
      ...(comparison
        ? { ...comparison.counts(), rows: { run: this.snapshot().inferenceCount, judged: comparison.judgedRows } }
        : {}),
      labels: this.#labels.counts(),
    };
  }
}
