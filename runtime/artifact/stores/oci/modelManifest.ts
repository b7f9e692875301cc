import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import * as z from 'zod';
import { Failure } from '../../failure.ts';
import { jsonOf } from '../../json.ts';
import { type Manifest, refuseUnsafe } from '../../manifest.ts';
import { OCI_MANIFEST, sha256Of } from './registry.ts';

/**
 * A model in a registry as CNCF ModelPack describes it (modelpack/model-spec docs/spec.md): a raw layer for each file,
 * which any tool of that spec can pull, and whose digest is the sha256 of the file itself.
 */
const MODEL = 'application/vnd.cncf.model.manifest.v1+json';
const CONFIG = 'application/vnd.cncf.model.config.v1+json';
const FILE_PATH = 'org.cncf.model.filepath';
/** Our digest over all files, which the digest of the manifest is not. */
const DIGEST = 'dev.slipway.digest';
/** What stands beside an artifact: signatures and reports. */
const BESIDE = 'application/vnd.slipway.beside.v1+json';
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', text: '{}' };

const layerType = (path: string): string => {
  const kind =
    path.endsWith('.onnx') || path.endsWith('.data') ? 'weight' : path.endsWith('.md') ? 'doc' : 'weight.config';
  return `application/vnd.cncf.model.${kind}.v1.raw`;
};

const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
});
const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  artifactType: z.string().optional(),
  layers: z.array(descriptorSchema),
  annotations: z.record(z.string(), z.string()).optional(),
});

export interface BlobFile {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

const layerOf = ({ path, digest, size }: BlobFile) => ({
  mediaType: layerType(path),
  digest,
  size,
  annotations: { [FILE_PATH]: path },
});

/** The config of ModelPack: of the same files always the same, so that one artifact is one manifest. */
export const modelConfig = (model: string, { files }: Manifest): string =>
  JSON.stringify({
    descriptor: { name: model },
    config: { format: 'onnx' },
    modelfs: { type: 'layers', diffIds: files.map(({ sha256 }) => `sha256:${sha256}`) },
  });

export const modelManifest = (config: string, { digest, files }: Manifest): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: MODEL,
    config: { mediaType: CONFIG, digest: sha256Of(config), size: Buffer.byteLength(config) },
    layers: files.map(({ path, size, sha256 }) => layerOf({ path, size, digest: `sha256:${sha256}` })),
    annotations: { [DIGEST]: digest },
  });

export const emptyConfig = EMPTY.text;

/** Files that refer to an artifact without being part of it. */
export const besideManifest = (subject: { digest: string; size: number }, files: readonly BlobFile[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: BESIDE,
    config: { mediaType: EMPTY.mediaType, digest: sha256Of(EMPTY.text), size: EMPTY.text.length },
    layers: files.map(layerOf),
    subject: { mediaType: OCI_MANIFEST, ...subject },
  });

/** The files that a manifest names. Throws Failure DigestMismatch for one that is no manifest of files. */
export function filesOf(text: string, uri: string): readonly BlobFile[] {
  const parsed = manifestSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw new Failure('DigestMismatch', `${uri} is not the manifest of a model.`);
  return parsed.data.layers.map(({ digest, size, annotations }) => {
    const path = annotations?.[FILE_PATH];
    if (path === undefined)
      throw new Failure('DigestMismatch', `A layer of ${uri} has no ${FILE_PATH}: it is no model of files.`);
    refuseUnsafe(path, uri);
    return { path, digest, size };
  });
}

/** The artifact that a manifest describes; of any tool that follows ModelPack with raw layers. */
export function artifactOf(text: string, uri: string): Manifest {
  const files = filesOf(text, uri).map(
    ({ path, digest, size }): ManifestEntry => ({ path, size, sha256: digest.replace('sha256:', '') }),
  );
  return { digest: artifactDigest(files), files };
}
