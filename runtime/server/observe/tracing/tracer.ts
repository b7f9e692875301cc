import type { ServingSettings } from '@slipway/crds/serving';
import type { Exchange, UnservedExchange } from '../../evidence/modelEvidence.ts';
import type { ModelIdentity } from '../../models/servedModel.ts';
import { Outbox, type OutboxCounts } from '../outbox.ts';
import { Post } from '../post.ts';
import { otlpJson } from './otlpJson.ts';
import { type Attributes, type SpanRef, spansOf, type TracedRequest } from './spans.ts';
import { parseTraceparent, type TraceParent } from './traceparent.ts';

export interface TracerDependencies {
  /** Bytes of chance: ids of traces and spans. */
  readonly randomBytes: (size: number) => Buffer;
  readonly random: () => number;
  /** Version of the server, and what else tells this process from others. */
  readonly version: string;
  readonly resource: Attributes;
  readonly intervalMs?: number;
}

/** Requests that may wait for the collector, and how many go at a time: a request has up to five spans. */
const MAX_REQUESTS = 4096;
const BATCH_REQUESTS = 100;
const INTERVAL_MS = 5000;

/** Records requests whose caller does, and a share of those that come from nobody; sends their spans to a collector. */
export class Tracer {
  readonly #share: number;
  readonly #deps: TracerDependencies;
  readonly #post: Post;
  readonly #outbox: Outbox<TracedRequest>;
  readonly #resource: Attributes;
  /** Traced requests by the run that answered them, for as long as somebody knows the run. */
  readonly #byRun = new WeakMap<object, SpanRef[]>();

  constructor(settings: NonNullable<ServingSettings['tracing']>, deps: TracerDependencies) {
    this.#share = settings.share;
    this.#deps = deps;
    this.#resource = { 'service.name': settings.service, 'service.version': deps.version, ...deps.resource };
    this.#post = new Post(tracesUrl(settings.endpoint), 'application/json');
    this.#outbox = new Outbox({
      maxItems: MAX_REQUESTS,
      maxBytes: Number.POSITIVE_INFINITY,
      batchItems: BATCH_REQUESTS,
      batchBytes: Number.POSITIVE_INFINITY,
      intervalMs: deps.intervalMs ?? INTERVAL_MS,
      random: deps.random,
      deliver: (requests, signal) => this.#post.send(this.#encode(requests), signal),
    });
  }

  /** `chance` is the request's random number. A caller's decision stands, for a trace with holes explains nothing. */
  wants(traceparent: string | undefined, chance: number): boolean {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    return parent ? parent.sampled : chance < this.#share;
  }

  /** Records a request. Gives the context for what it sets off elsewhere. */
  record(model: ModelIdentity, request: Exchange | UnservedExchange): TraceParent {
    const parent = parseTraceparent(request.traceparent);
    const ids = this.#deps.randomBytes(24).toString('hex');
    const traceId = parent?.traceId ?? ids.slice(16);
    const spanId = ids.slice(0, 16);
    const { outcome, status, sentence } = request as Partial<Exchange & UnservedExchange>;
    const { id, startedAt, answered } = request;
    const { batchRows, cached } = outcome ?? {};
    this.#outbox.offer(
      {
        traceId,
        spanId,
        parentId: parent?.spanId,
        model,
        id,
        startedAt,
        answered,
        batchRows,
        cached,
        together: this.#together(outcome?.run, { traceId, spanId }),
        status,
        sentence,
      },
      0,
    );
    return { traceId, spanId, sampled: true };
  }

  /** The list that all traced requests of a run share, and that names this one too from now on. */
  #together(run: object | undefined, own: SpanRef): readonly SpanRef[] {
    const known = run && this.#byRun.get(run);
    known?.push(own);
    if (known || !run) return known ?? [];
    const list = [own];
    this.#byRun.set(run, list);
    return list;
  }

  get counts(): OutboxCounts {
    return this.#outbox.counts;
  }

  async close(): Promise<void> {
    await this.#outbox.close();
    this.#post.close();
  }

  #encode(requests: readonly TracedRequest[]): string {
    const spanId = () => this.#deps.randomBytes(8).toString('hex');
    const spans = requests.flatMap((request) => spansOf(request, spanId));
    return otlpJson(this.#resource, { name: 'slipway', version: this.#deps.version }, spans);
  }
}

/** OTEL_EXPORTER_OTLP_ENDPOINT's rule: the signal's path follows a base address; a full address stays as it is. */
function tracesUrl(endpoint: string): URL {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url;
}
