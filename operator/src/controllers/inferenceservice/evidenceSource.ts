import type { OperatorConfig } from '../../config.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { PodEvidence } from '../../measure/pods.ts';
import type { InstantQuery } from '../../measure/prometheus/instantQuery.ts';
import { PrometheusEvidence } from '../../measure/prometheus/prometheusEvidence.ts';
import type { EvidenceSource } from '../../measure/source.ts';

interface Around {
  readonly fetchText: FetchText;
  readonly query: InstantQuery;
}

/** The source that the operator's settings ask for. Both are held to measure/contract.suite.ts. */
export const evidenceSource = (
  { evidenceSource: from, prometheusUrl: server }: Pick<OperatorConfig, 'evidenceSource' | 'prometheusUrl'>,
  { fetchText, query }: Around,
  now: () => Date,
): EvidenceSource =>
  from === 'prometheus' && server !== undefined
    ? new PrometheusEvidence({ query, server, now })
    : new PodEvidence({ fetchText, now });
