import { ENV, type Rival, rivalSchema } from '@slipway/crds/contract';
import type { Job } from '../../api/builtin.ts';
import type { ModelVersion } from '../../api/kinds.ts';
import { currentOf } from './current.ts';

/** The versions that gates compare with, or why they are not known yet. */
export type Rivals =
  | { readonly kind: 'Known'; readonly rivals: readonly Rival[] }
  | { readonly kind: 'Pending'; readonly message: string };

/** The words of `versus` in the gates of a version. */
const wordsOf = ({ spec }: ModelVersion): string[] => [
  ...new Set((spec.gates ?? []).flatMap(({ versus }) => (versus === undefined ? [] : [versus]))),
];

/** `siblings` are the other versions of the model. */
function meant(word: string, { spec }: ModelVersion, siblings: readonly ModelVersion[]): ModelVersion | undefined {
  if (word === 'Production') return currentOf(siblings);
  if (word === 'Parent') return siblings.find(({ metadata }) => metadata.name === spec.provenance?.parent);
  return siblings.find((sibling) => sibling.spec.version === word);
}

const verdictOn = ({ status }: ModelVersion): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Verified')?.status;

const mayBeCompared = (rival: ModelVersion): boolean =>
  rival.status?.deletedAt === undefined && verdictOn(rival) !== 'False';
const isVerified = (version: ModelVersion): boolean => verdictOn(version) === 'True';

/** Whose verdict the verification of a version waits for. */
const awaitedBy = (version: ModelVersion, all: readonly ModelVersion[]): ModelVersion[] => {
  const siblings = all.filter(({ metadata }) => metadata.name !== version.metadata.name);
  const named = wordsOf(version).flatMap((word) => meant(word, version, siblings) ?? []);
  return named.filter((rival) => mayBeCompared(rival) && !isVerified(rival));
};

/** Whether a rival waits, by itself or by those that it waits for, until `version` is verified. */
function waitsFor(rival: ModelVersion, version: ModelVersion, siblings: readonly ModelVersion[]): boolean {
  const all = [version, ...siblings];
  const seen = new Set([rival]);
  for (const waiting of seen) for (const awaited of awaitedBy(waiting, all)) seen.add(awaited);
  return seen.has(version);
}

const rivalOf = (words: readonly string[], { metadata, spec }: ModelVersion): Rival => ({
  as: [...words],
  name: metadata.name,
  version: spec.version,
  digest: spec.artifact.digest,
  uri: spec.artifact.uri,
  ...(spec.artifact.secretRef === undefined ? {} : { secret: spec.artifact.secretRef.name }),
});

/**
 * Whom the gates of a version compare it with, as of now: what Production means is settled when verification starts, and
 * told with its result. A rival that is still being verified is waited for, unless it waits for this version in turn:
 * both would wait for ever, and the verifier hashes the files of a rival in any case. One whose files are not what they
 * should be, or are gone, is none.
 */
export function rivalsFor(version: ModelVersion, siblings: readonly ModelVersion[]): Rivals {
  const found = new Map<ModelVersion, string[]>();
  for (const word of wordsOf(version)) {
    const rival = meant(word, version, siblings);
    if (rival === undefined || !mayBeCompared(rival)) continue;
    if (!isVerified(rival) && !waitsFor(rival, version, siblings)) {
      const message = `Its gates compare it with ${rival.metadata.name}, which is not verified yet.`;
      return { kind: 'Pending', message };
    }
    found.set(rival, [...(found.get(rival) ?? []), word]);
  }
  return { kind: 'Known', rivals: [...found].map(([rival, words]) => rivalOf(words, rival)) };
}

/** The rivals that a verification was given: those that its verdicts are about, whatever Production means by now. */
export function rivalsGiven(job: Job): readonly Rival[] {
  const env = job.spec?.template.spec?.containers.flatMap((container) => container.env ?? []) ?? [];
  const text = env.find(({ name }) => name === ENV.rivals)?.value;
  try {
    return rivalSchema.array().parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

/** Compared with 1.3.0 (Production). */
export const comparedText = (rivals: readonly Rival[]): string =>
  rivals.length === 0
    ? ''
    : ` Compared with ${rivals.map((r) => (r.as.includes(r.version) ? r.version : `${r.version} (${r.as.join(', ')})`)).join(' and ')}.`;
