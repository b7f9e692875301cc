import type { Gate, ManifestEntry, ModelVersionSpec } from '@slipway/crds';
import type { GateResult, Signature } from '@slipway/crds/contract';
import type { Measured, Metric } from '../metrics.ts';
import type { ReportedMetric } from '../reported/reported.ts';
import type { Holdout } from './holdout.ts';
import type { Picture } from './picture.ts';
import type { SliceRow } from './slices.ts';

export const REPORT_SCHEMA = 'slipway.dev/report/v1';

export interface MetricRow extends Measured {
  readonly metric: Metric;
  readonly method: string;
}

export interface GateRow extends GateResult {
  /** What was asked, as in the spec. */
  readonly gate: Gate;
  readonly method?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What the numbers were computed with. */
export interface EvaluatorFacts {
  readonly node: string;
  readonly platform: string;
  /** CPUs that the verification could use. */
  readonly cores: number;
}

/** report.json: everything that was measured of a version, and by what. The card and the bill of materials are made from it. */
export interface ReportDocument {
  readonly schema: typeof REPORT_SCHEMA;
  /** Name of the ModelVersion. */
  readonly name: string;
  readonly model: string;
  readonly version: string;
  readonly artifact: { readonly uri: string; readonly digest: string; readonly files: number; readonly bytes: number };
  readonly entries: readonly ManifestEntry[];
  /** RFC 3339. */
  readonly at: string;
  readonly evaluator: EvaluatorFacts;
  readonly signature: Signature;
  /** Undefined without predictions. */
  readonly holdout?: Holdout;
  readonly gates: readonly GateRow[];
  /** Every metric that the predictions allow, whether a gate asks for it or not. */
  readonly metrics: readonly MetricRow[];
  /** Worst first. */
  readonly slices: readonly SliceRow[];
  readonly reported: readonly ReportedMetric[];
  readonly picture?: Picture;
  /** What a reader should know before believing the rest. */
  readonly warnings: readonly string[];
  /** As the ModelVersion has it, values of secret-looking parameters left out. */
  readonly provenance?: NonNullable<ModelVersionSpec['provenance']>;
}
