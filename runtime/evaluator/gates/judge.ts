import type { Gate } from '@slipway/crds';
import type { GateResult, Prediction } from '@slipway/crds/contract';
import type { RandomBelow } from '../random.ts';
import type { ReportedMetric } from '../reported/reported.ts';
import { type Sample, sampleOf } from '../sample.ts';
import { judgeAcross } from './acrossGate.ts';
import { type MetricGate, requireAnswers } from './answers.ts';
import { judgeLatency, type LatencyGate } from './latencyGate.ts';
import { judgeLimit } from './limitGate.ts';
import { judgeParity, type ParityGate } from './parityGate.ts';
import { judgeReported, type ReportedGate } from './reportedGate.ts';
import type { OpenModel } from './servedModel.ts';
import { judgeSize } from './sizeGate.ts';
import { type Finding, resultOf } from './verdict.ts';
import { judgeVersus, nothingToCompare, type RivalAnswers } from './versusGate.ts';

/** What gates are judged by. Each part is asked for only by gates that need it. */
export interface Evidence {
  /** Held-out predictions. Throws Failure PredictionsMissing or PredictionsInvalid. */
  predictions(): Promise<readonly Prediction[]>;
  /** The version that the words of `versus` mean, undefined where there is none. Throws Failure RivalUnavailable. */
  rival(word: string): Promise<RivalAnswers | undefined>;
  reported(): Promise<readonly ReportedMetric[]>;
  /** The model as served, for requests of so many rows. Throws Failure. */
  served<T>(rows: number, work: (model: OpenModel) => Promise<T>): Promise<T>;
  readonly bytes: number;
  readonly files: number;
  /** A new generator each time, of the same numbers: a gate's verdict does not depend on the gates before it. */
  random(): RandomBelow;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
}

/** A gate, what became of it as the status shows it, and all that was found. */
export interface Judged {
  readonly gate: Gate;
  readonly result: GateResult;
  readonly finding: Finding;
}

/**
 * Judges each gate, in the order given. Throws Failure PredictionsMissing, PredictionsInvalid, EvaluationInvalid or
 * RivalUnavailable where there is nothing to judge by.
 */
export async function judgeGates(gates: readonly Gate[], evidence: Evidence): Promise<readonly Judged[]> {
  const sample = remembered(async () => sampleOf(await evidence.predictions()));
  const judged: Judged[] = [];
  for (const gate of gates) {
    const finding = await findingOf(gate, evidence, sample);
    judged.push({ gate, finding, result: resultOf(gate.name, finding) });
  }
  return judged;
}

function findingOf(gate: Gate, evidence: Evidence, sample: () => Promise<Sample>): Promise<Finding> | Finding {
  if (gate.metric !== undefined) return judgeMetric(gate as MetricGate, evidence, sample);
  if (gate.reported !== undefined) return judgeReportedOf(gate as ReportedGate, evidence);
  if (gate.latency !== undefined) {
    return evidence.served(gate.latency.batch, (model) => judgeLatency(gate as LatencyGate, model, evidence.elapsed));
  }
  if (gate.parity !== undefined) return evidence.served(1, (model) => judgeParity(gate as ParityGate, model));
  return judgeSize(gate.maxBytes ?? '', evidence.bytes, evidence.files);
}

const judgeReportedOf = async (gate: ReportedGate, evidence: Evidence): Promise<Finding> =>
  judgeReported(gate, await evidence.reported());

async function judgeMetric(gate: MetricGate, evidence: Evidence, sample: () => Promise<Sample>): Promise<Finding> {
  const predictions = await evidence.predictions();
  const all = await sample();
  requireAnswers(gate, predictions, all);
  if (gate.across !== undefined) return judgeAcross(gate, predictions, all, evidence.random());
  if (gate.versus === undefined) return judgeLimit(gate, predictions, all, evidence.random());
  const rival = await evidence.rival(gate.versus);
  return rival ? judgeVersus(gate, predictions, all, rival, evidence.random()) : nothingToCompare(gate);
}

function remembered<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
