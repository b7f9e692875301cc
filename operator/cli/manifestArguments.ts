import { parseTarget } from './target.ts';
import { UsageError } from './usageError.ts';

/** An InferenceService that stands in the cluster, or one in a file that may not be applied yet. */
export type Source =
  | { readonly kind: 'object'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

export interface Manifested {
  readonly source: Source;
  /** Requests of the whole service a second; undefined: not told. */
  readonly perSecond: number | undefined;
}

interface Flags {
  readonly filename?: string | undefined;
  readonly rps?: string | undefined;
}

const exampleOf = (verb: string): string => `kubectl slipway ${verb} -f inferenceservice.yaml --rps=100`;

function sourceOf(verb: string, path: string | undefined, [text, extra]: readonly string[]): Source {
  if (extra !== undefined || (path === undefined) === (text === undefined)) {
    throw new UsageError(`${verb} needs one InferenceService, infs/NAME or -f FILE: write ${exampleOf(verb)}`);
  }
  if (path !== undefined) return { kind: 'file', path };
  const target = parseTarget(text ?? '');
  if (target?.kind !== 'InferenceService') {
    throw new UsageError(`${verb} works on an InferenceService, and "${text}" is none: write infs/NAME`);
  }
  return { kind: 'object', name: target.name };
}

/** What a command that looks ahead is asked about. Throws UsageError. */
export function readManifested(verb: string, { filename, rps }: Flags, words: readonly string[]): Manifested {
  if (rps !== undefined && !(/^[0-9]{1,7}(\.[0-9]{1,3})?$/.test(rps) && Number(rps) > 0)) {
    throw new UsageError(`"${rps}" is no number of requests a second: write --rps=100`);
  }
  return { source: sourceOf(verb, filename, words), perSecond: rps === undefined ? undefined : Number(rps) };
}
