import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { partsOf } from '@slipway/runtime/artifact/stores/place.ts';
import { createBucket } from '@slipway/runtime/artifact/stores/testing/bucket.ts';
import { contextIn, type Ground, writeSecret } from '@slipway/runtime/artifact/stores/testing/ground.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { inject } from 'vitest';
import { LOGIN } from './servers.ts';

export const SECRET = 'store';

export const s3Entries = (url = inject('s3').url, password: string = LOGIN.password) => ({
  AWS_ACCESS_KEY_ID: LOGIN.username,
  AWS_SECRET_ACCESS_KEY: password,
  AWS_ENDPOINT_URL: url,
});

/** A bucket of its own, reached through `url` by those who test. */
export async function s3Ground(url = inject('s3').url): Promise<Ground & { readonly folder: string }> {
  const folder = await temporaryFolder('s3');
  await writeSecret(folder, SECRET, s3Entries(url));
  const bucket = `b${randomUUID()}`;
  await createBucket(s3Entries(), bucket);
  const fileOf: Ground['fileOf'] = (uri, { path }) => join(inject('s3').folder, bucket, partsOf(uri).rest, path);
  return { root: `s3://${bucket}/team`, secret: SECRET, context: contextIn(folder), fileOf, folder };
}

/** A repository of its own. */
export async function ociGround(host = inject('oci').host): Promise<Ground & { readonly folder: string }> {
  const folder = await temporaryFolder('oci');
  await mkdir(join(folder, 'credentials'), { recursive: true });
  const blobs = join(inject('oci').folder, 'docker/registry/v2/blobs/sha256');
  const fileOf: Ground['fileOf'] = (_uri, { sha256 }) => join(blobs, sha256.slice(0, 2), sha256, 'data');
  return { root: `oci://${host}/r${randomUUID()}`, context: contextIn(folder), fileOf, folder };
}
