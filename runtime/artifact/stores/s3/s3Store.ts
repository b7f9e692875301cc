import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { digestDirectory, type ManifestEntry } from '@slipway/crds';
import { FILES, REPORTS_SUFFIX } from '@slipway/crds/contract';
import { Failure } from '../../failure.ts';
import { inParallel } from '../../inParallel.ts';
import { type Manifest, manifestText, parseManifest, refuseUnsafe } from '../../manifest.ts';
import type { Credentials } from '../credentials.ts';
import { hashShipment } from '../hashShipment.ts';
import { limitedText } from '../limitedText.ts';
import { below, partsOf } from '../place.ts';
import { meter } from '../progress.ts';
import type { Delivery, Listing, RemoteFile, Shipment, Store, StoreContext } from '../store.ts';
import { s3Client } from './client.ts';
import { unfinishedUploads, uploadFile } from './multipart.ts';
import { isMissing, isTaken, s3Failure } from './s3Failure.ts';
import { type S3Place, SHA256_METADATA, s3Place } from './s3Place.ts';

/** Files uploaded at a time. */
const WIDTH = 4;
const DIGEST_FOLDER = /sha256-[0-9a-f]{64}$/;

export const openS3Store = (credentials: Credentials, context: StoreContext): Store =>
  new S3Store(s3Client(credentials), context);

/** Artifacts in a bucket of any server that speaks S3. */
class S3Store implements Store {
  readonly #client: S3Client;
  readonly #context: StoreContext;
  constructor(client: S3Client, context: StoreContext) {
    this.#client = client;
    this.#context = context;
  }

  manifest(uri: string): Promise<Manifest> {
    return this.#at(uri, async () => {
      const text = await this.#text(s3Place(uri, FILES.manifest));
      if (text !== undefined) return parseManifest(text, uri);
      throw new Failure(
        'ArtifactMissing',
        `${uri} has no ${FILES.manifest}: nothing was published there, or not to its end.`,
      );
    });
  }

  read(uri: string, { path }: RemoteFile, from: number): Promise<Readable> {
    return this.#at(below(uri, path), async () => {
      const { bucket: Bucket, key: Key } = s3Place(uri, path);
      const Range = from === 0 ? undefined : `bytes=${from}-`;
      const { Body } = await this.#client
        .send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }))
        .catch((error: unknown) => {
          throw isMissing(error) ? new Failure('ArtifactMissing', `${path} of ${uri} is not there.`) : error;
        });
      return Body as Readable;
    });
  }

  list(uri: string): Promise<Listing> {
    return this.#at(uri, async () => {
      const single = uri.endsWith('/') ? undefined : await this.#head(s3Place(uri));
      if (single !== undefined) {
        const { rest } = partsOf(uri);
        const path = rest.split('/').at(-1) ?? '';
        return { base: uri.slice(0, -path.length - 1), files: [{ path, size: single.size }] };
      }
      const files = await this.#listed(s3Place(uri));
      if (files.length === 0) throw new Failure('ArtifactMissing', `There is nothing at ${uri}.`);
      for (const { path } of files) refuseUnsafe(path, uri);
      return { base: uri, files: files.filter(({ path }) => path !== FILES.manifest && path !== FILES.claims) };
    });
  }

  put(root: string, shipment: Shipment): Promise<Delivery> {
    return this.#at(root, async () => {
      const manifest = await hashShipment(shipment, this.#context);
      const uri = below(root, shipment.model, digestDirectory(manifest.digest));
      const text = manifestText(manifest);
      const present = await this.#text(s3Place(uri, FILES.manifest));
      if (present !== undefined) return this.#same(uri, manifest, present);
      await this.#upload(uri, shipment, manifest);
      if (shipment.claim !== undefined) await this.addClaim(uri, shipment.claim(manifest));
      if (await this.#create(s3Place(uri, FILES.manifest), text)) return { uri, manifest, isNew: true };
      return this.#same(uri, manifest, await this.#text(s3Place(uri, FILES.manifest)));
    });
  }

  claims(uri: string): Promise<string> {
    return this.#at(uri, async () => (await this.#text(s3Place(uri, FILES.claims))) ?? '');
  }

  addClaim(uri: string, line: string): Promise<void> {
    return this.#at(uri, async () => this.#write(s3Place(uri, FILES.claims), `${await this.claims(uri)}${line}\n`));
  }

  putReports(uri: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const folder = below(`${uri.replace(/\/+$/, '')}${REPORTS_SUFFIX}`, name);
    return this.#at(uri, async () => {
      // report.json last: whoever finds it finds all that it speaks of.
      const names = Object.keys(files).toSorted((a, b) => Number(a === FILES.report) - Number(b === FILES.report));
      for (const path of names) await this.#write(s3Place(folder, path), files[path] ?? '');
      return folder;
    });
  }

  artifacts(root: string, model: string): Promise<readonly string[]> {
    return this.#at(root, async () => {
      const files = await this.#listed(s3Place(root, model));
      const folders = files
        .filter(({ path }) => path.endsWith(`/${FILES.manifest}`))
        .map(({ path }) => path.slice(0, -FILES.manifest.length - 1));
      return folders
        .filter((path) => DIGEST_FOLDER.test(path) && !path.includes('/'))
        .map((path) => below(root, model, path));
    });
  }

  remove(uri: string): Promise<void> {
    return this.#at(uri, async () => {
      const { bucket, key } = s3Place(uri);
      const remove = (path: string) =>
        this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${key}/${path}` }));
      await remove(FILES.manifest);
      await inParallel(await this.#listed({ bucket, key }), WIDTH, ({ path }) => remove(path));
    });
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #at<T>(uri: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw s3Failure(uri, error);
    }
  }

  async #text({ bucket: Bucket, key: Key }: S3Place): Promise<string | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket, Key }));
      return await limitedText(Body as Readable, `s3://${Bucket}/${Key}`);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #head({
    bucket: Bucket,
    key: Key,
  }: S3Place): Promise<{ size: number; sha256: string | undefined } | undefined> {
    try {
      const { ContentLength = 0, Metadata } = await this.#client.send(new HeadObjectCommand({ Bucket, Key }));
      return { size: ContentLength, sha256: Metadata?.[SHA256_METADATA] };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #listed({ bucket: Bucket, key }: S3Place): Promise<readonly { path: string; size: number }[]> {
    const Prefix = key === '' ? '' : `${key}/`;
    const files: { path: string; size: number }[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }),
      );
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        // A console makes folders of empty objects whose names end with a slash.
        if (!Key.endsWith('/')) files.push({ path: Key.slice(Prefix.length), size: Size });
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    return files;
  }

  async #write({ bucket: Bucket, key: Key }: S3Place, body: string | Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket, Key, Body: body }));
  }

  /** false: somebody made it in the meantime. A server without conditional writes is asked first and then written. */
  async #create(place: S3Place, body: string): Promise<boolean> {
    const command = { Bucket: place.bucket, Key: place.key, Body: body };
    try {
      await this.#client.send(new PutObjectCommand({ ...command, IfNoneMatch: '*' }));
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      if ((error as Error).name !== 'NotImplemented') throw error;
      if ((await this.#head(place)) !== undefined) return false;
      await this.#write(place, body);
      return true;
    }
  }

  async #upload(uri: string, { files }: Shipment, manifest: Manifest): Promise<void> {
    const unfinished = await unfinishedUploads(this.#client, s3Place(uri));
    const entries = new Map(manifest.files.map((entry) => [entry.path, entry]));
    const progress = meter(
      'uploaded',
      manifest.files.reduce((sum, { size }) => sum + size, 0),
      this.#context,
    );
    await inParallel(files, WIDTH, async ({ path, from }) => {
      const [entry, place] = [entries.get(path) as ManifestEntry, s3Place(uri, path)];
      const isThere = async () => {
        const there = await this.#head(place);
        return there?.size === entry.size && there.sha256 === entry.sha256;
      };
      if (await isThere()) return progress.add(entry.size);
      const { add: seen } = progress;
      const upload = { client: this.#client, place, from, entry, seen, isThere };
      await uploadFile({ ...upload, unfinished: (key) => unfinished.get(key) });
    });
    progress.done();
  }

  /** The name is taken. It is the same content, unless somebody changed it. */
  async #same(uri: string, manifest: Manifest, text: string | undefined): Promise<Delivery> {
    const changed = async ({ path, size }: ManifestEntry) => (await this.#head(s3Place(uri, path)))?.size !== size;
    const wrong = text !== undefined && parseManifest(text, uri).digest === manifest.digest;
    const files = wrong ? await inParallel(manifest.files, WIDTH, changed) : [true];
    if (!files.includes(true)) return { uri, manifest, isNew: false };
    throw new Failure(
      'DigestMismatch',
      `The store holds ${uri} with other content; remove that folder and publish again.`,
    );
  }
}
