import { DIRECTORIES } from '@slipway/crds/contract';
import { Failure } from '../failure.ts';
import type { StoreContext } from './store.ts';

export type Scheme = 'pvc' | 's3' | 'oci' | 'http';

const SCHEMES: Readonly<Record<string, Scheme>> = { pvc: 'pvc', s3: 's3', oci: 'oci', http: 'http', https: 'http' };

/** Kind of store that a uri names. Throws Failure ConfigurationInvalid. */
export function schemeOf(uri: string): Scheme {
  const scheme = SCHEMES[uri.slice(0, Math.max(0, uri.indexOf('://')))];
  const leaves = uri.split('/').some((part) => part === '..' || part === '.');
  if (scheme !== undefined && !leaves) return scheme;
  throw new Failure(
    'ConfigurationInvalid',
    `"${uri}" is no place of files: write pvc://<claim>/<path>, s3://<bucket>/<prefix>, oci://<registry>/<repository> or https://<host>/<path>, without "..".`,
  );
}

/** `<scheme>://<first>/<rest>`: claim, bucket or registry, and what follows without slashes at its ends. */
export function partsOf(uri: string): { readonly first: string; readonly rest: string } {
  const [, first = '', rest = ''] = /^[a-z0-9]+:\/\/([^/]+)\/?(.*?)\/*$/.exec(uri) ?? [];
  return { first, rest };
}

/** uri of something below a place. */
export const below = (uri: string, ...parts: readonly string[]): string =>
  [uri.replace(/\/+$/, ''), ...parts].join('/');

/** Folder that a pvc:// uri means in a container. */
export function folderOf(uri: string, { claims = DIRECTORIES.claims }: Pick<StoreContext, 'claims'>): string {
  const { first, rest } = partsOf(uri);
  return rest === '' ? below(claims, first) : below(claims, first, rest);
}
