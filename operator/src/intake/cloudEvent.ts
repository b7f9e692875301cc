import type { IncomingHttpHeaders } from 'node:http';
import type { SentEvent } from '../domain/retrain/event.ts';
import { Refusal } from './refusal.ts';

type Named = Omit<SentEvent, 'by'>;

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const ATTRIBUTES = ['specversion', 'id', 'source', 'type'] as const;
const LONGEST = 256;

/** Values of headers are percent-encoded where they hold more than printable ASCII (HTTP binding §3.1.3.2). */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function structured(body: string): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(body);
    if (typeof event === 'object' && event !== null && !Array.isArray(event)) return event as Record<string, unknown>;
  } catch {
    // Told below, as is JSON of another shape.
  }
  throw new Refusal(400, `The body is not one CloudEvent in JSON, as ${STRUCTURED} promises.`);
}

const binary = (headers: IncomingHttpHeaders): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    ATTRIBUTES.flatMap((name) => {
      const value = headers[`ce-${name}`];
      return typeof value === 'string' ? [[name, decoded(value)]] : [];
    }),
  );

function attributesOf(headers: IncomingHttpHeaders, body: string): Readonly<Record<string, unknown>> {
  const [media = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  if (media.trim() === BATCH) throw new Refusal(415, 'Send one event a request: batches are not taken.');
  if (media.trim() === STRUCTURED) return structured(body);
  if (headers['ce-specversion'] !== undefined) return binary(headers);
  throw new Refusal(
    415,
    `POST a CloudEvent 1.0: as ${STRUCTURED}, or with the headers ${ATTRIBUTES.map((name) => `ce-${name}`).join(', ')}.`,
  );
}

/**
 * What names a CloudEvent 1.0 in binary or structured mode (HTTP protocol binding 1.0.2). Its data is not looked at.
 * Throws Refusal.
 */
export function cloudEventOf(headers: IncomingHttpHeaders, body: string): Named {
  const attributes = attributesOf(headers, body);
  const text = (name: (typeof ATTRIBUTES)[number]): string => {
    const value = attributes[name];
    if (typeof value === 'string' && value !== '' && value.length <= LONGEST) return value;
    throw new Refusal(400, `The CloudEvent needs ${name}: a text of 1 to ${LONGEST} characters.`);
  };
  if (text('specversion') !== '1.0') {
    throw new Refusal(400, `The CloudEvent has specversion ${text('specversion')}: only 1.0 is known.`);
  }
  return { id: text('id'), source: text('source'), type: text('type') };
}
