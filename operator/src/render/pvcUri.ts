/** A folder on a PersistentVolumeClaim; `path` has no slash at either end, as a subPath wants it. */
export interface ClaimPath {
  readonly claim: string;
  readonly path: string;
}

/**
 * Reads pvc://<claim>/<path>. The API server has checked the pattern; what it can't see is a `..` in the path, which
 * would leave the folder that the object may name.
 */
export function parseClaimUri(uri: string): ClaimPath {
  const match = /^pvc:\/\/([a-z0-9][-a-z0-9.]*)\/(.*?)\/*$/.exec(uri);
  const [claim, path] = [match?.[1], match?.[2]];
  if (claim === undefined || path === undefined || path === '' || path.split('/').some((part) => part === '..')) {
    throw new Error(`"${uri}" names no folder of a claim: write pvc://<claim>/<path> without "..".`);
  }
  return { claim, path };
}

export const claimUri = ({ claim, path }: ClaimPath): string => `pvc://${claim}/${path}`;
