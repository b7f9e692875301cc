import { type Progress, progressSchema } from '@slipway/crds/contract';
import { complaintOf } from '../container/complaint.ts';

/** What the progress file says: a report, nothing yet, or why it is no report. */
export type ProgressReading =
  | { readonly kind: 'report'; readonly progress: Progress }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly sentence: string };

/** Judges the text of progress.json; undefined text means that there is no such file. */
export function readingOf(text: string | undefined): ProgressReading {
  if (text === undefined) return { kind: 'none' };
  const json = parsed(text);
  if (json === undefined)
    return { kind: 'invalid', sentence: 'progress.json is not JSON; write it whole, then rename.' };
  const result = progressSchema.safeParse(json);
  if (result.success) return { kind: 'report', progress: result.data };
  return { kind: 'invalid', sentence: `progress.json is not a progress report: ${complaintOf(result.error)}.` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
