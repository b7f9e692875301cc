import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type Prediction, REPORTS_SUFFIX } from '@slipway/crds/contract';
import { jsonOf } from '../../artifact/json.ts';

/** The held-out examples of a version, and how often they have been judged by. */
export interface Holdout {
  readonly n: number;
  /** sha256 over the sorted ids, one a line: the same for every version that was judged on the same examples. */
  readonly ids: string;
  /** How many versions, this one included, are known to have been judged on them. */
  readonly looks: number;
}

export const idsDigest = (predictions: readonly Prediction[]): string =>
  `sha256:${createHash('sha256')
    .update(
      predictions
        .map(({ id }) => `${id}\n`)
        .sort()
        .join(''),
    )
    .digest('hex')}`;

/** A version that was judged before, as far as it can be read here. */
export interface Predecessor {
  readonly predictions: readonly Prediction[];
  /** Its artifact's folder. */
  readonly dir: string;
}

/**
 * How often these very examples have been judged by: each version that is chosen on them fits them a little more. A
 * predecessor's own report says how many came before it, where it can be read beside its artifact.
 */
export async function holdoutOf(
  predictions: readonly Prediction[],
  predecessors: readonly Predecessor[],
): Promise<Holdout> {
  const ids = idsDigest(predictions);
  let looks = 1;
  for (const predecessor of predecessors) {
    if (idsDigest(predecessor.predictions) !== ids) continue;
    looks = Math.max(looks, 1 + (await looksReportedBeside(predecessor.dir, ids)));
  }
  return { n: predictions.length, ids, looks };
}

async function looksReportedBeside(dir: string, ids: string): Promise<number> {
  const folder = `${dir}${REPORTS_SUFFIX}`;
  const names = await readdir(folder).catch(() => []);
  let looks = 1;
  for (const name of names) {
    const text = await readFile(join(folder, name, FILES.report), 'utf8').catch(() => '');
    const holdout = (jsonOf(text) as { readonly holdout?: Partial<Holdout> } | undefined)?.holdout;
    if (holdout?.ids === ids && Number.isInteger(holdout.looks)) looks = Math.max(looks, holdout.looks ?? 1);
  }
  return looks;
}

/** From this many versions on, what the best of them shows on the same examples is no longer what it would show on new ones. */
const MANY = 5;

export function reuseWarning({ looks, n }: Holdout): string | undefined {
  if (looks < 2) return undefined;
  const advice = looks >= MANY ? ': set a fresh one aside' : '';
  return `This is at least version ${looks} that is judged on the same ${n.toLocaleString('en')} held-out examples; choosing among versions fits the choice to them, so that their intervals promise a little too much${advice}.`;
}
