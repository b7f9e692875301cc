import type { ScrapedModel } from './model.ts';
import type { MetricsText, MetricType } from './text.ts';

export type Write = Pick<MetricsText, 'sample' | 'histogram'>;

/** A metric of model versions: its samples of all models stand together, as the format asks. */
export interface Family {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  write(model: ScrapedModel, write: Write): void;
}
