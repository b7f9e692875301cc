import type { Readable } from 'node:stream';
import type { ManifestEntry } from '@slipway/crds';
import type { Manifest } from '../manifest.ts';

/** What every store is given of the world. */
export interface StoreContext {
  /** A line of progress. */
  readonly say: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Where claims are mounted, each under its name. Default DIRECTORIES.claims. */
  readonly claims?: string | undefined;
  /** Where Secrets are mounted, each under its name. Default DIRECTORIES.credentials. */
  readonly credentials?: string | undefined;
  /** Room for what is fetched. Default DIRECTORIES.scratch. */
  readonly scratch?: string | undefined;
  /** Waits between tries, in milliseconds. Default: real time. */
  readonly sleep?: ((ms: number) => Promise<void>) | undefined;
  /** Most bytes that may be fetched. Unset: no limit. */
  readonly maxBytes?: number | undefined;
}

/** A file to publish: where it is to stand in the artifact, and where it lies now. */
export interface LocalFile {
  readonly path: string;
  readonly from: string;
}

/** What a store is asked to keep. */
export interface Shipment {
  /** Folder of the store. */
  readonly model: string;
  readonly files: readonly LocalFile[];
  /** A line for claims.jsonl over the files as they were read. Asked for before anything is visible. */
  readonly claim?: ((manifest: Manifest) => string) | undefined;
}

export interface Delivery {
  readonly uri: string;
  readonly manifest: Manifest;
  /** false: the same content was there already. */
  readonly isNew: boolean;
}

/** A file of a data set: what is known of it before it is read. */
export interface RemoteFile {
  readonly path: string;
  readonly size?: number | undefined;
  readonly sha256?: string | undefined;
}

/** Files of a data set, and the folder that their paths are relative to. */
export interface Listing {
  readonly base: string;
  readonly files: readonly RemoteFile[];
}

/**
 * Where artifacts lie. One contract suite (testing/contract.ts) holds every kind to it. A `uri` is that of an artifact,
 * a `root` that of the store. Every method throws Failure with a reason of its own: CredentialsRefused,
 * StoreUnavailable, StoreFull; reading also ArtifactMissing and DigestMismatch. Whatever is written is invisible until
 * it is whole, and writing what is there already changes nothing.
 */
export interface Store {
  /** What the artifact holds. Throws Failure ArtifactMissing where nothing was published, or not to its end. */
  manifest(uri: string): Promise<Manifest>;
  /** Bytes of a file from an offset on. Throws Failure ArtifactMissing when it is gone, and the stream may break. */
  read(uri: string, file: RemoteFile, from: number): Promise<Readable>;
  /** A folder or a single file that need not be an artifact. Throws Failure ArtifactMissing. */
  list(uri: string): Promise<Listing>;
  /** Stores files under their digest: `<root>/<model>/sha256-<digest>`. Throws Failure DigestMismatch if other content has the name. */
  put(root: string, shipment: Shipment): Promise<Delivery>;
  /** Lines of claims.jsonl; '' where there is none. */
  claims(uri: string): Promise<string>;
  /** Adds a line to claims.jsonl, which is not part of the digest. */
  addClaim(uri: string, line: string): Promise<void>;
  /** Puts files beside the artifact, in place of older ones of that name. Returns where they are. */
  putReports(uri: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** Uris of the artifacts of a model that are whole. */
  artifacts(root: string, model: string): Promise<readonly string[]>;
  /** Takes the artifact away, its manifest first; reports stay. No error when it is gone already. */
  remove(uri: string): Promise<void>;
  close(): Promise<void>;
}

/** Total of some entries, in bytes. */
export const bytesOf = (files: readonly Pick<ManifestEntry, 'size'>[]): number =>
  files.reduce((sum, { size }) => sum + size, 0);
