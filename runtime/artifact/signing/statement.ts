import { createHash } from 'node:crypto';
import type { ManifestEntry } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import * as z from 'zod';
import { Failure } from '../failure.ts';
import { jsonOf } from '../json.ts';

/**
 * The statement of OpenSSF model signing v1.0 (sigstore/model-transparency, model_signing/_signing/signing.py): in-toto,
 * with every file and its sha256 as a resource, and the sha256 over all of them in order as the one subject.
 */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const PREDICATE_TYPE = 'https://model_signing/signature/v1.0';

/** What signers of models write beside the files that they sign. */
export const SIGNATURE_FILE = 'model.sig';
/** Never signed: what is made of the signature or the digest, and what git leaves. */
const IGNORED = [FILES.manifest, FILES.claims, SIGNATURE_FILE, '.git', '.gitattributes', '.github', '.gitignore'];

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) })).length(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    resources: z.array(z.object({ name: z.string(), algorithm: z.string(), digest: z.string() })),
  }),
});
type Resource = z.infer<typeof statementSchema>['predicate']['resources'][number];

const rootDigest = (resources: readonly Pick<Resource, 'digest'>[]): string => {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
};

/** The statement over the files of an artifact, as the bytes that are signed. */
export function statementOf(name: string, entries: readonly ManifestEntry[]): Buffer {
  const resources = entries
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
    .map(({ path, sha256 }) => ({ name: path, algorithm: 'sha256', digest: sha256 }));
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: rootDigest(resources) } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: IGNORED },
      resources,
    },
  };
  return Buffer.from(JSON.stringify(statement));
}

const mayBeUnsigned = (path: string): boolean => IGNORED.includes(path.split('/')[0] ?? '');

/**
 * Holds a signed statement against the files that were found. Returns undefined for a statement of another kind. Throws
 * Failure SignatureMismatch that names the first file of which they differ.
 */
export function holdAgainst(payload: Buffer, entries: readonly ManifestEntry[]): 'agrees' | undefined {
  const parsed = statementSchema.safeParse(jsonOf(payload.toString()));
  if (!parsed.success) return undefined;
  const { subject, predicate } = parsed.data;
  const signed = new Map(predicate.resources.map((resource) => [resource.name, resource]));
  if (subject[0]?.digest.sha256 !== rootDigest(predicate.resources))
    throw mismatch('its own list of files is not what its subject says');
  for (const { path, sha256 } of entries) {
    const resource = signed.get(path);
    signed.delete(path);
    if (resource === undefined && !mayBeUnsigned(path)) throw mismatch(`${path} was not signed`);
    if (resource !== undefined && (resource.algorithm !== 'sha256' || resource.digest !== sha256)) {
      throw mismatch(`${path} has sha256 ${sha256}, and ${resource.digest} was signed`);
    }
  }
  const [missing] = signed.keys();
  if (missing !== undefined) throw mismatch(`${missing} was signed, and is not there`);
  return 'agrees';
}

const mismatch = (why: string): Failure =>
  new Failure('SignatureMismatch', `The signature is right, and not of these files: ${why}.`);
