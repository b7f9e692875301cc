import type { InferenceService, ModelVersion } from '../../src/api/kinds.ts';
import { brokenLink } from '../../src/domain/chain.ts';
import { COLUMNS, table, wrap } from '../render/text.ts';

/** Whether the record is as it was written, in a sentence. */
function chainText(history: readonly { readonly hash: string; readonly previousHash: string; readonly at: string }[]) {
  const broken = brokenLink(history);
  if (broken !== undefined)
    return `The record was changed after it was written, at the entry of ${history[broken]?.at}.`;
  const [first, last] = [history[0], history.at(-1)];
  const all = first?.previousHash === '' ? 'all there were' : 'older ones are not kept';
  return `The ${history.length} entries hold together (${all}), up to ${last?.hash.slice(0, 12)}.`;
}

/** What an object went through, oldest first, and whether anybody changed the record. Lines of at most 80 columns. */
export function historyLines({ kind, metadata, status }: InferenceService | ModelVersion): string[] {
  const history = status?.history ?? [];
  const title = `${kind} ${metadata.namespace}/${metadata.name}`;
  if (history.length === 0) return [title, '  no history yet'];
  const rows = history.map(({ at, from, to, by, reason, message }) => [
    at,
    `${from === '' ? '-' : from} -> ${to}`,
    `${reason}${by === undefined ? '' : ` by ${by}`}: ${message}`,
  ]);
  return [title, ...table(rows, 2), ...wrap(chainText(history), COLUMNS - 2).map((line) => `  ${line}`)];
}
