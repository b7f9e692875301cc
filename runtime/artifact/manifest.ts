import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import * as z from 'zod';
import { Failure } from './failure.ts';
import { jsonOf } from './json.ts';

const MANIFEST_SCHEMA = 'slipway.dev/manifest/v1';

/** A path of a manifest becomes a file of ours: it must stay in its folder. */
const isSafe = (path: string): boolean =>
  !path.startsWith('/') && !path.includes('\\') && !path.includes('\0') && path.split('/').every(isSegment);
const isSegment = (part: string): boolean => part !== '' && part !== '.' && part !== '..';

const manifestSchema = z.object({
  schema: z.literal(MANIFEST_SCHEMA),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  files: z
    .array(
      z.object({
        path: z.string().min(1).max(1024).refine(isSafe, 'leaves the folder of the artifact'),
        size: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1),
});

/** What an artifact holds, as manifest.json says it. */
export interface Manifest {
  readonly digest: string;
  readonly files: readonly ManifestEntry[];
}

export const manifestText = ({ digest, files }: Manifest): string =>
  `${JSON.stringify({ schema: MANIFEST_SCHEMA, digest, files }, undefined, 2)}\n`;

/**
 * Reads manifest.json. Throws Failure DigestMismatch for a text that is no manifest, or whose files do not have the
 * digest that it names: nothing is fetched then.
 */
export function parseManifest(text: string, uri: string): Manifest {
  const parsed = manifestSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const fault = `${first?.path.join('.')} ${first?.message}`.trim();
    throw new Failure('DigestMismatch', `${FILES.manifest} of ${uri} is not the manifest of an artifact: ${fault}.`);
  }
  const manifest: Manifest = { digest: parsed.data.digest, files: parsed.data.files };
  const found = artifactDigest(manifest.files);
  if (found === manifest.digest) return manifest;
  throw new Failure(
    'DigestMismatch',
    `${FILES.manifest} of ${uri} names digest ${manifest.digest}, its files ${found}.`,
  );
}

/** Whether the names of a listing may become files of a folder. Throws Failure OutputInvalid. */
export function refuseUnsafe(path: string, uri: string): void {
  if (isSafe(path)) return;
  throw new Failure('OutputInvalid', `"${path}" of ${uri} is no name for a file: it would leave the folder.`);
}
