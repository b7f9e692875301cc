import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { preparedReportSchema, publishReportSchema, terminationSchema, verificationReportSchema } from './contract.ts';

/** The kubelet keeps this much of a termination message. */
export const TERMINATION_MESSAGE_BYTES = 4096;

/** Marks a message that is base64 of gzip of the JSON document. */
const COMPRESSED = 'gz:';

/** A message cannot unpack to more than this, whoever wrote it. */
const MAX_DOCUMENT_BYTES = 256 * 1024;

const documentSchema = z.discriminatedUnion('schema', [
  terminationSchema,
  publishReportSchema,
  verificationReportSchema,
  preparedReportSchema,
]);

/** Anything that one of our containers says when it ends; `schema` tells which. */
export type Report = z.infer<typeof documentSchema>;

/**
 * The document as a termination message: JSON, compressed when JSON alone is too long. Undefined when it does not fit
 * either way: a message cut off by the kubelet would be no document at all.
 */
export function encodeReport(report: Report): string | undefined {
  const json = JSON.stringify(report);
  if (Buffer.byteLength(json) <= TERMINATION_MESSAGE_BYTES) return json;
  const compressed = COMPRESSED + gzipSync(json, { level: 9 }).toString('base64');
  return compressed.length <= TERMINATION_MESSAGE_BYTES ? compressed : undefined;
}

/** The document of a termination message, or undefined when the message is none of ours. Never throws. */
export function decodeReport(message: string): Report | undefined {
  try {
    return documentSchema.parse(JSON.parse(message.startsWith(COMPRESSED) ? unpack(message) : message));
  } catch {
    return undefined;
  }
}

const unpack = (message: string): string =>
  gunzipSync(Buffer.from(message.slice(COMPRESSED.length), 'base64'), {
    maxOutputLength: MAX_DOCUMENT_BYTES,
  }).toString('utf8');
