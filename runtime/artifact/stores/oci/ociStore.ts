import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { digestDirectory, type ManifestEntry } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import { Failure } from '../../failure.ts';
import { inParallel } from '../../inParallel.ts';
import type { Manifest } from '../../manifest.ts';
import type { Credentials } from '../credentials.ts';
import { hashShipment } from '../hashShipment.ts';
import { below, partsOf } from '../place.ts';
import { meter } from '../progress.ts';
import { realSleep } from '../realSleep.ts';
import {
  bytesOf,
  type Delivery,
  type Listing,
  type RemoteFile,
  type Shipment,
  type Store,
  type StoreContext,
} from '../store.ts';
import { type WebClient, webClient } from '../web/webClient.ts';
import { artifactOf, besideManifest, emptyConfig, filesOf, modelConfig, modelManifest } from './modelManifest.ts';
import { noteReferrer } from './referrers.ts';
import { type Document, Repository, sha256Of } from './registry.ts';

/** Files sent at a time. */
const WIDTH = 3;
/** Tag of an artifact, by its own digest. `sha256-<hex>` alone is what OCI keeps for lists of referrers. */
const TAG = 'artifact-';
const ARTIFACT_TAG = /^artifact-[0-9a-f]{64}$/;

export const openOciStore = (credentials: Credentials, context: StoreContext): Store =>
  new OciStore(credentials, webClient(credentials, context.sleep ?? realSleep), context);

/** Repository and reference of oci://<registry>/<repository>[@sha256:<manifest>]. */
const addressOf = (uri: string): { host: string; name: string; reference: string | undefined } => {
  const { first: host, rest } = partsOf(uri);
  const [name = '', reference] = rest.split('@');
  return { host, name, reference };
};

/** Artifacts in an OCI registry: each model a repository below that of the store, each artifact a manifest. */
class OciStore implements Store {
  readonly #credentials: Credentials;
  readonly #client: WebClient;
  readonly #context: StoreContext;
  readonly #repositories = new Map<string, Repository>();
  constructor(credentials: Credentials, client: WebClient, context: StoreContext) {
    this.#credentials = credentials;
    this.#client = client;
    this.#context = context;
  }

  async manifest(uri: string): Promise<Manifest> {
    return artifactOf((await this.#document(uri)).text, uri);
  }

  read(uri: string, { sha256 = '' }: RemoteFile, from: number): Promise<Readable> {
    return this.#repository(uri).blob(`sha256:${sha256}`, from);
  }

  async list(uri: string): Promise<Listing> {
    return { base: uri, files: (await this.manifest(uri)).files };
  }

  async put(root: string, shipment: Shipment): Promise<Delivery> {
    const manifest = await hashShipment(shipment, this.#context);
    const home = below(root, shipment.model);
    const repository = this.#repository(home);
    const config = modelConfig(shipment.model, manifest);
    const text = modelManifest(config, manifest);
    const tag = tagOf(manifest.digest);
    const present = await repository.manifest(tag);
    if (present !== undefined) return same(home, manifest, present);
    await this.#send(repository, shipment, manifest);
    await repository.putBlob(config);
    if (shipment.claim !== undefined) {
      // Before its subject, which OCI allows: nobody ever finds the artifact without it.
      await this.#putBeside(home, subjectOf(text), `${tag}.claims`, {
        [FILES.claims]: `${shipment.claim(manifest)}\n`,
      });
    }
    const digest = await repository.putManifest(tag, text);
    return { uri: `${home}@${digest}`, manifest, isNew: true };
  }

  async claims(uri: string): Promise<string> {
    const tag = `${tagOf((await this.manifest(uri)).digest)}.claims`;
    const found = await this.#repository(uri).manifest(tag);
    const file = found === undefined ? undefined : filesOf(found.text, uri).find(({ path }) => path === FILES.claims);
    return file === undefined ? '' : textOf(await this.#repository(uri).blob(file.digest, 0));
  }

  async addClaim(uri: string, line: string): Promise<void> {
    const document = await this.#document(uri);
    const tag = `${tagOf(artifactOf(document.text, uri).digest)}.claims`;
    const claims = `${await this.claims(uri)}${line}\n`;
    await this.#putBeside(uri, subjectOf(document.text), tag, { [FILES.claims]: claims });
  }

  async putReports(uri: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const document = await this.#document(uri);
    const tag = `${tagOf(artifactOf(document.text, uri).digest)}.${name}`.slice(0, 128);
    const digest = await this.#putBeside(uri, subjectOf(document.text), tag, files);
    return `${homeOf(uri)}@${digest}`;
  }

  async artifacts(root: string, model: string): Promise<readonly string[]> {
    const home = below(root, model);
    const tags = (await this.#repository(home).tags()).filter((tag) => ARTIFACT_TAG.test(tag));
    const found = await inParallel(tags, WIDTH, (tag) => this.#repository(home).manifest(tag));
    return found.flatMap((document) => (document === undefined ? [] : [`${home}@${document.digest}`]));
  }

  /** The manifest alone: its blobs are the registry's to collect, as others may share them. */
  async remove(uri: string): Promise<void> {
    const { reference } = addressOf(uri);
    if (reference === undefined)
      throw new Failure('ConfigurationInvalid', `${uri} names no manifest: write @sha256:<digest>.`);
    await this.#repository(uri).removeManifest(reference);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #repository(uri: string): Repository {
    const { host, name } = addressOf(uri);
    const key = `${host}/${name}`;
    const repository = this.#repositories.get(key) ?? new Repository(host, name, this.#credentials, this.#client);
    this.#repositories.set(key, repository);
    return repository;
  }

  async #document(uri: string): Promise<Document> {
    const { reference } = addressOf(uri);
    if (reference === undefined)
      throw new Failure('ConfigurationInvalid', `${uri} names no manifest: write @sha256:<digest>.`);
    const document = await this.#repository(uri).manifest(reference);
    if (document !== undefined) return document;
    throw new Failure('ArtifactMissing', `The registry has no ${uri}: nothing was published there, or it was deleted.`);
  }

  async #send(repository: Repository, { files }: Shipment, manifest: Manifest): Promise<void> {
    const entries = new Map(manifest.files.map((entry) => [entry.path, entry]));
    const progress = meter('uploaded', bytesOf(manifest.files), this.#context);
    await inParallel(files, WIDTH, ({ path, from }) => {
      const { sha256, size } = entries.get(path) as ManifestEntry;
      return repository.putFile(`sha256:${sha256}`, from, size, progress.add);
    });
    progress.done();
  }

  async #putBeside(
    uri: string,
    subject: { digest: string; size: number },
    tag: string,
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<string> {
    const repository = this.#repository(uri);
    await repository.putBlob(emptyConfig);
    const blobs = await inParallel(Object.entries(files), WIDTH, async ([path, content]) => {
      const bytes = Buffer.from(content as string);
      return { path, digest: await repository.putBlob(bytes), size: bytes.length };
    });
    const text = besideManifest(subject, blobs);
    const digest = await repository.putManifest(tag, text);
    await noteReferrer(repository, subject.digest, { digest, size: Buffer.byteLength(text), tag });
    return digest;
  }
}

const tagOf = (digest: string): string => digestDirectory(digest).replace('sha256-', TAG);
const homeOf = (uri: string): string => uri.replace(/@sha256:.*$/, '');

const subjectOf = (text: string) => ({ digest: sha256Of(text), size: Buffer.byteLength(text) });

/** The tag is taken. Blobs can't be changed in a registry, so the manifest says all. */
function same(home: string, manifest: Manifest, { text, digest }: Document): Delivery {
  const uri = `${home}@${digest}`;
  if (artifactOf(text, uri).digest === manifest.digest) return { uri, manifest, isNew: false };
  throw new Failure(
    'DigestMismatch',
    `The registry holds ${tagOf(manifest.digest)} of ${home} with other content; delete that tag and publish again.`,
  );
}
