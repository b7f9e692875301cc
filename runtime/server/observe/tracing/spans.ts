import type { Answered } from '../../evidence/modelEvidence.ts';
import type { ModelIdentity } from '../../models/servedModel.ts';

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** One stretch of work. Times are epoch milliseconds. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server';
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** What went wrong, where the server is to blame. */
  readonly error: string | undefined;
  /** Spans of other traces that it is about too. */
  readonly links: readonly SpanRef[];
}

/** Where another span is found. */
export type SpanRef = Pick<Span, 'traceId' | 'spanId'>;

/** The limit of OpenTelemetry's SDKs (https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits). */
const MOST_LINKS = 128;

/** A request as it is kept until it is exported: nothing is computed before that. */
export interface TracedRequest {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly model: ModelIdentity;
  readonly id: string | undefined;
  readonly startedAt: number;
  readonly answered: Answered;
  /** Of the run that answered it. */
  readonly batchRows: number | undefined;
  readonly cached: boolean | undefined;
  /** All traced requests of that run, itself among them; grows until the last of them is answered. */
  readonly together: readonly SpanRef[];
  /** Of a request without an answer of the model. */
  readonly status: number | undefined;
  readonly sentence: string | undefined;
}

/** The request's span and those of its parts, laid one after the other as the server does them; encoding is the last. */
export function spansOf(request: TracedRequest, spanId: () => string): Span[] {
  const { traceId, startedAt, answered } = request;
  const { latencyMs, decodeMs = 0, queueMs = 0, computeMs = 0, encodeMs = 0 } = answered;
  const end = startedAt + latencyMs;
  const queued = startedAt + decodeMs;
  const begun = queued + queueMs;
  const others = request.together.filter((other) => other.spanId !== request.spanId).slice(0, MOST_LINKS);
  const parts: [name: string, start: number, ms: number, attributes: Attributes, links?: readonly SpanRef[]][] = [
    ['decode', startedAt, decodeMs, {}],
    ['queue', queued, queueMs, {}],
    ['batch', begun, computeMs, { 'slipway.batch.rows': request.batchRows, 'slipway.cached': request.cached }, others],
    ['encode', end - encodeMs, encodeMs, {}],
  ];
  const part = { traceId, parentId: request.spanId, kind: 'internal' as const, error: undefined };
  return [
    {
      traceId,
      spanId: request.spanId,
      parentId: request.parentId,
      name: `infer ${request.model.name}`,
      kind: 'server',
      start: startedAt,
      end,
      attributes: requestAttributes(request),
      error: (request.status ?? 0) >= 500 ? request.sentence : undefined,
      links: [],
    },
    ...parts
      .filter(([, , ms]) => ms > 0)
      .map(([name, start, ms, attributes, links = []]) => ({
        ...part,
        spanId: spanId(),
        name,
        start,
        end: start + ms,
        attributes,
        links,
      })),
  ];
}

function requestAttributes({ model, id, answered, status }: TracedRequest): Attributes {
  return {
    'slipway.model.name': model.name,
    'slipway.model.version': model.version,
    'slipway.model.digest': model.digest,
    'slipway.protocol': answered.protocol,
    'slipway.outcome': answered.outcome,
    'slipway.request.id': id,
    'slipway.rows': answered.rows,
    'http.response.status_code': status,
  };
}
