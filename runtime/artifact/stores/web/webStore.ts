import type { Readable } from 'node:stream';
import { FILES } from '@slipway/crds/contract';
import { Failure } from '../../failure.ts';
import { type Manifest, parseManifest } from '../../manifest.ts';
import { bothOrNone, type Credentials } from '../credentials.ts';
import { limitedText } from '../limitedText.ts';
import { below } from '../place.ts';
import { realSleep } from '../realSleep.ts';
import type { Delivery, Listing, RemoteFile, Store, StoreContext } from '../store.ts';
import { skipped } from './skipped.ts';
import { answerFailure, type WebAnswer, type WebClient, webClient } from './webClient.ts';

export const openWebStore = (credentials: Credentials, context: StoreContext): Store =>
  new WebStore(webClient(credentials, context.sleep ?? realSleep), authorizationOf(credentials));

function authorizationOf(credentials: Credentials): Readonly<Record<string, string>> {
  const { token } = credentials;
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const pair = bothOrNone(credentials, 'username', 'password');
  return pair === undefined ? {} : { authorization: `Basic ${Buffer.from(pair.join(':')).toString('base64')}` };
}

/** Artifacts that any web server hands out: a folder with a manifest.json. It can only be read. */
class WebStore implements Store {
  readonly #client: WebClient;
  readonly #headers: Readonly<Record<string, string>>;
  constructor(client: WebClient, headers: Readonly<Record<string, string>>) {
    this.#client = client;
    this.#headers = headers;
  }

  async manifest(uri: string): Promise<Manifest> {
    const text = await this.#text(below(uri, FILES.manifest));
    if (text !== undefined) return parseManifest(text, uri);
    throw new Failure('ArtifactMissing', `${uri} has no ${FILES.manifest}: put one there, as the publisher writes it.`);
  }

  async read(uri: string, { path }: RemoteFile, from: number): Promise<Readable> {
    const url = below(uri, ...path.split('/').map(encodeURIComponent));
    const range: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    // A server that packs what it sends counts other bytes than the file has.
    const headers = { ...this.#headers, ...range, 'accept-encoding': 'identity' };
    const answer = await this.#client.ask(url, { headers });
    if (answer.status === 206) return answer.body;
    if (answer.status === 200) return from === 0 ? answer.body : skipped(answer.body, from);
    throw await answerFailure(url, answer);
  }

  /** A folder with a manifest.json, else a single file: a web server lists nothing. */
  async list(uri: string): Promise<Listing> {
    const text = await this.#text(below(uri, FILES.manifest)).catch(orNothing);
    const manifest = text?.trimStart().startsWith('{') ? parseManifest(text, uri) : undefined;
    if (manifest !== undefined) return { base: uri, files: manifest.files };
    const { pathname } = new URL(uri);
    const path = decodeURIComponent(pathname.split('/').at(-1) ?? '');
    if (path === '') throw new Failure('ArtifactMissing', `${uri} has no ${FILES.manifest}, and names no file.`);
    const answer = await this.#client.ask(uri, {
      method: 'HEAD',
      headers: { ...this.#headers, 'accept-encoding': 'identity' },
    });
    if (answer.status === 404 || answer.status === 403 || answer.status === 401) throw await answerFailure(uri, answer);
    await answer.body.dump();
    const length = answer.status === 200 ? answer.header('content-length') : undefined;
    return {
      base: uri.slice(0, uri.lastIndexOf('/')),
      files: [{ path, size: length === undefined ? undefined : Number(length) }],
    };
  }

  async claims(uri: string): Promise<string> {
    return (await this.#text(below(uri, FILES.claims))) ?? '';
  }

  async put(root: string): Promise<Delivery> {
    throw readOnly(root);
  }

  async addClaim(uri: string): Promise<void> {
    throw readOnly(uri);
  }

  async putReports(uri: string): Promise<string> {
    throw readOnly(uri);
  }

  async artifacts(root: string): Promise<readonly string[]> {
    throw readOnly(root);
  }

  async remove(uri: string): Promise<void> {
    throw readOnly(uri);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #text(url: string): Promise<string | undefined> {
    const answer: WebAnswer = await this.#client.ask(url, { headers: this.#headers });
    if (answer.status === 200) return limitedText(answer.body, url);
    if (answer.status !== 404) throw await answerFailure(url, answer);
    await answer.body.dump();
    return undefined;
  }
}

const readOnly = (uri: string): Failure =>
  new Failure('StoreUnavailable', `${uri} is a web server: it can only be read. Write to pvc://, s3:// or oci://.`);

/** A server may refuse to say of a file that it is no folder. */
function orNothing(error: unknown): undefined {
  if (error instanceof Failure && error.reason === 'StoreUnavailable') return undefined;
  throw error;
}
