import { jsonOf } from '../../json.ts';
import { OCI_INDEX, OCI_MANIFEST, type Repository } from './registry.ts';

interface Referrer {
  readonly digest: string;
  readonly size: number;
  readonly tag: string;
}

interface Index {
  readonly manifests?: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[];
}

/** Under which tag a referrer is kept: a later one of the same tag takes its place. */
const TAG = 'dev.slipway.tag';

/**
 * Keeps the list of what refers to a manifest where the registry does not itself: an index under the tag
 * `sha256-<digest>` (OCI distribution spec 1.1, "Referrers Tag Schema"), so that `oras discover` finds it there too.
 */
export async function noteReferrer(repository: Repository, subject: string, referrer: Referrer): Promise<void> {
  if (await repository.listsReferrers(subject)) return;
  const tag = subject.replace(':', '-');
  const index = jsonOf((await repository.manifest(tag))?.text ?? '{}') as Index;
  const others = (index.manifests ?? []).filter(({ annotations }) => annotations?.[TAG] !== referrer.tag);
  const { digest, size } = referrer;
  const entry = { mediaType: OCI_MANIFEST, digest, size, annotations: { [TAG]: referrer.tag } };
  const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, entry] });
  await repository.putManifest(tag, text, OCI_INDEX);
}
