import type { Attributes, Span } from './spans.ts';

/**
 * Spans as a body of OTLP/HTTP in JSON
 * (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hex, 64-bit numbers as decimal strings,
 * enums as numbers.
 */
export function otlpJson(
  resource: Attributes,
  scope: { name: string; version: string },
  spans: readonly Span[],
): string {
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: attributesOf(resource) }, scopeSpans: [{ scope, spans: spans.map(spanOf) }] },
    ],
  });
}

const KINDS = { internal: 1, server: 2 } as const;
const STATUS_ERROR = 2;

const spanOf = ({ traceId, spanId, parentId, name, kind, start, end, attributes, error, links }: Span) => ({
  traceId,
  spanId,
  ...(parentId !== undefined && { parentSpanId: parentId }),
  name,
  kind: KINDS[kind],
  startTimeUnixNano: nanoseconds(start),
  endTimeUnixNano: nanoseconds(end),
  attributes: attributesOf(attributes),
  ...(links.length > 0 && { links: links.map(({ traceId: other, spanId: its }) => ({ traceId: other, spanId: its })) }),
  ...(error !== undefined && { status: { code: STATUS_ERROR, message: error } }),
});

/** Microseconds are what a double can hold of a time in this century. */
const nanoseconds = (ms: number): string => `${Math.round(ms * 1000)}000`;

const attributesOf = (attributes: Attributes) =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value: anyValue(value as string | number | boolean) }));

function anyValue(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
