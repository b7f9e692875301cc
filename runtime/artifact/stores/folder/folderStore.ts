import { createReadStream } from 'node:fs';
import { readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { artifactDigest, digestDirectory, type ManifestEntry } from '@slipway/crds';
import { FILES, REPORTS_SUFFIX } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../../failure.ts';
import { filesUnder, hashArtifact } from '../../hash.ts';
import { inParallel } from '../../inParallel.ts';
import { type Manifest, manifestText, parseManifest } from '../../manifest.ts';
import { isAbsent, onDisk } from '../diskFailure.ts';
import { below, folderOf, partsOf } from '../place.ts';
import { meter } from '../progress.ts';
import type { Delivery, Listing, LocalFile, RemoteFile, Shipment, Store, StoreContext } from '../store.ts';
import { openStaging, type Staging } from './staging.ts';

/** Files copied at a time: one is read while another waits for its sync. */
const WIDTH = 2;
const DIGEST_FOLDER = /^sha256-[0-9a-f]{64}$/;

/** Artifacts in folders of mounted claims. */
export class FolderStore implements Store {
  readonly #context: StoreContext;
  constructor(context: StoreContext) {
    this.#context = context;
  }

  async manifest(uri: string): Promise<Manifest> {
    const path = join(this.#folder(uri), FILES.manifest);
    const text = await onDisk(uri, () => readFile(path, 'utf8').catch(absent));
    if (text !== undefined) return parseManifest(text, uri);
    throw new Failure('ArtifactMissing', `${uri} has no ${FILES.manifest}: nothing was published there.`);
  }

  async read(uri: string, { path }: RemoteFile, from: number): Promise<Readable> {
    const file = join(this.#folder(uri), path);
    if ((await onDisk(uri, () => stat(file).catch(absent))) === undefined) {
      throw new Failure('ArtifactMissing', `${path} of ${uri} is not there.`);
    }
    return createReadStream(file, { start: from, highWaterMark: 1024 * 1024 });
  }

  async list(uri: string): Promise<Listing> {
    const path = this.#folder(uri);
    const found = await onDisk(uri, () => stat(path).catch(absent));
    if (found === undefined) throw new Failure('ArtifactMissing', `There is nothing at ${uri}.`);
    if (found.isFile()) return { base: dirname(uri), files: [{ path: basename(path), size: found.size }] };
    const paths = await onDisk(uri, async () => filesUnder(await realpath(path)));
    return { base: uri, files: paths.map((each) => ({ path: each })) };
  }

  async put(root: string, shipment: Shipment): Promise<Delivery> {
    const parent = join(this.#folder(root), shipment.model);
    const staging = await openStaging(parent, this.#context.now(), root);
    try {
      const manifest = await this.#stage(staging, shipment);
      const name = digestDirectory(manifest.digest);
      const isNew = await staging.commit(name);
      const uri = below(root, shipment.model, name);
      if (!isNew) await this.#refuseOther(uri, manifest);
      return { uri, manifest, isNew };
    } finally {
      await staging.discard();
    }
  }

  async claims(uri: string): Promise<string> {
    const path = join(this.#folder(uri), FILES.claims);
    return (await onDisk(uri, () => readFile(path, 'utf8').catch(absent))) ?? '';
  }

  async addClaim(uri: string, line: string): Promise<void> {
    const path = join(this.#folder(uri), FILES.claims);
    const before = await this.claims(uri);
    await onDisk(uri, async () => {
      await writeFile(`${path}.new`, `${before}${line}\n`, { mode: 0o644 });
      await rename(`${path}.new`, path);
    });
  }

  async putReports(uri: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const parent = `${this.#folder(uri)}${REPORTS_SUFFIX}`;
    const staging = await openStaging(parent, this.#context.now(), uri);
    try {
      for (const [path, content] of Object.entries(files)) await staging.write(path, content);
      if (!(await staging.commit(name))) {
        await onDisk(uri, () => rm(join(parent, name), { recursive: true, force: true }));
        await staging.commit(name);
      }
    } finally {
      await staging.discard();
    }
    return below(`${uri.replace(/\/+$/, '')}${REPORTS_SUFFIX}`, name);
  }

  async artifacts(root: string, model: string): Promise<readonly string[]> {
    const parent = join(this.#folder(root), model);
    const names = (await onDisk(root, () => readdir(parent).catch(absent))) ?? [];
    const whole = async (name: string) =>
      (await stat(join(parent, name, FILES.manifest)).catch(absent)) === undefined ? [] : [below(root, model, name)];
    return (await Promise.all(names.filter((name) => DIGEST_FOLDER.test(name)).map(whole))).flat();
  }

  /** Renamed first: whoever has the folder open keeps what it reads, and nobody finds half of it. */
  async remove(uri: string): Promise<void> {
    const folder = this.#folder(uri);
    const aside = join(dirname(folder), `.removed-${basename(folder)}`);
    await onDisk(uri, async () => {
      await rm(join(folder, FILES.manifest), { force: true }).catch(absent);
      await rename(folder, aside).catch(absent);
      await rm(aside, { recursive: true, force: true });
    });
  }

  async close(): Promise<void> {}

  #folder(uri: string): string {
    return folderOf(uri, this.#context);
  }

  async #stage(staging: Staging, { files, claim }: Shipment): Promise<Manifest> {
    const sizes = await Promise.all(files.map(sizeOf));
    const progress = meter(
      'copied',
      sizes.reduce((sum, size) => sum + size, 0),
      this.#context,
    );
    const copied = await inParallel(files, WIDTH, async ({ path, from }): Promise<ManifestEntry> => {
      const { size, sha256 } = await staging.copy(from, path, progress.add);
      return { path, size, sha256 };
    });
    progress.done();
    const entries = copied.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const manifest = { digest: artifactDigest(entries), files: entries };
    if (claim !== undefined) await staging.write(FILES.claims, `${claim(manifest)}\n`);
    await staging.write(FILES.manifest, manifestText(manifest));
    return manifest;
  }

  /** A folder of that name is the same content, unless somebody changed it. */
  async #refuseOther(uri: string, { digest }: Manifest): Promise<void> {
    const present = await hashArtifact(this.#folder(uri));
    if (present.digest === digest) return;
    const name = partsOf(uri).rest.split('/').at(-1);
    throw new Failure(
      'DigestMismatch',
      `The store holds ${name} with other content (${present.digest}); remove that folder and publish again.`,
    );
  }
}

async function sizeOf({ path, from }: LocalFile): Promise<number> {
  const found = await stat(from).catch((cause: unknown) => {
    throw new Failure('OutputInvalid', `${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  });
  return found.size;
}

/** For `catch`: undefined where there is nothing; everything else is thrown on. */
function absent(error: unknown): undefined {
  if (isAbsent(error)) return undefined;
  throw error;
}
