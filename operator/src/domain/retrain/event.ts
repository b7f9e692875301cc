import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What names a CloudEvent, and who sent it. `source` and `id` together name one event for ever (CloudEvents 1.0, §3.1). */
export interface SentEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** As the API server knows the sender. */
  readonly by: string;
}

/** Events that are remembered. One that is sent again after so many others counts as new. */
const MOST_SEEN = 64;
const text = z.string().max(1024);
const annotationSchema = z.object({
  key: z.string().min(1).max(64),
  id: text,
  source: text,
  type: text,
  by: text,
  /** Keys of the events before it, newest first. */
  seen: z.array(z.string().max(64)).max(MOST_SEEN).optional(),
});

/** The newest event that asked for a retraining, as the annotation of an InferenceService keeps it. */
export type AskingEvent = z.infer<typeof annotationSchema>;

const keyOf = ({ source, id }: SentEvent): string =>
  createHash('sha256')
    .update(JSON.stringify([source, id]))
    .digest('hex')
    .slice(0, 32);

/** undefined: there is none, or nothing that was written here: anybody may annotate. */
export function askingEvent(annotation: string | undefined): AskingEvent | undefined {
  try {
    return annotationSchema.safeParse(JSON.parse(annotation ?? '')).data;
  } catch {
    return undefined;
  }
}

/** The annotation once `event` has asked too; undefined: it did so before. */
export function askedBy(event: SentEvent, annotation: string | undefined): string | undefined {
  const before = askingEvent(annotation);
  const seen = before === undefined ? [] : [before.key, ...(before.seen ?? [])];
  const key = keyOf(event);
  return seen.includes(key) ? undefined : JSON.stringify({ key, ...event, seen: seen.slice(0, MOST_SEEN) });
}
