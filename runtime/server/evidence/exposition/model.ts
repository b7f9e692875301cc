import type { Evidence } from '@slipway/crds/contract';
import type { SchedulerCounts } from '../../batching/scheduler.ts';
import type { ServedModel } from '../../models/servedModel.ts';
import type { EvidenceCounts } from '../modelEvidence.ts';
import type { EvidenceSnapshot } from '../snapshot.ts';
import type { Labels } from './text.ts';

/** One model version as a scrape sees it: everything is read once, so that its metrics agree with each other. */
export interface ScrapedModel {
  readonly served: Pick<ServedModel, 'identity' | 'settings' | 'evidence'>;
  readonly labels: Labels;
  readonly counts: EvidenceCounts;
  readonly snapshot: EvidenceSnapshot;
  readonly scheduler: SchedulerCounts;
  readonly shadow: Evidence['shadow'];
}

export function scraped(
  served: Pick<ServedModel, 'identity' | 'settings' | 'evidence' | 'scheduler'>,
  shadow: Evidence['shadow'],
): ScrapedModel {
  const { name: model, version } = served.identity;
  const { evidence, scheduler } = served;
  const counts = evidence.counts();
  return {
    served,
    labels: { model, version },
    counts,
    snapshot: evidence.snapshot(),
    scheduler: scheduler.counts(),
    shadow,
  };
}
