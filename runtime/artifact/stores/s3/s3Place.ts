import { partsOf } from '../place.ts';

/** A bucket, and a key or prefix in it without slashes at its ends. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/** Metadata of each object: what it held when it was uploaded, so that an upload that was cut off knows what is there. */
export const SHA256_METADATA = 'slipway-sha256';

export function s3Place(uri: string, ...names: readonly string[]): S3Place {
  const { first, rest } = partsOf(uri);
  return { bucket: first, key: [rest, ...names].filter((part) => part !== '').join('/') };
}
