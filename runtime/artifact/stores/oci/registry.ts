import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { Failure } from '../../failure.ts';
import type { Credentials } from '../credentials.ts';
import { limitedText } from '../limitedText.ts';
import { skipped } from '../web/skipped.ts';
import { answerFailure, type WebAnswer, type WebClient, type WebRequest } from '../web/webClient.ts';
import { authorizationFor, loginOf } from './registryAuth.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export const sha256Of = (bytes: string | Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Like Docker: the machine itself needs no TLS; any other registry that has none must be named so in the Secret. */
const isPlain = (host: string, credentials: Credentials): boolean =>
  /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(host) || credentials['plainHTTP'] === 'true';

export interface Document {
  readonly text: string;
  readonly digest: string;
}

/**
 * One repository of a registry, in the words of the OCI distribution spec 1.1. Throws Failure ArtifactMissing,
 * CredentialsRefused, StoreUnavailable or StoreFull.
 */
export class Repository {
  readonly #base: string;
  readonly #name: string;
  readonly #client: WebClient;
  readonly #login: ReturnType<typeof loginOf>;
  /** Authorization that the registry took last, by what was to be done. */
  readonly #granted = new Map<string, string>();

  constructor(host: string, name: string, credentials: Credentials, client: WebClient) {
    this.#base = `${isPlain(host, credentials) ? 'http' : 'https'}://${host}`;
    this.#name = name;
    this.#client = client;
    this.#login = loginOf(credentials, host);
  }

  /** A manifest by digest or tag; undefined where there is none. One by digest is what its digest says. */
  async manifest(reference: string): Promise<Document | undefined> {
    const headers = { accept: `${OCI_MANIFEST}, ${OCI_INDEX}` };
    const answer = await this.#ask('pull', this.#url('manifests', reference), { headers });
    if (answer.status === 404) return void (await answer.body.dump());
    if (answer.status !== 200) throw await answerFailure(this.#called(reference), answer);
    const text = await limitedText(answer.body, this.#called(reference));
    const digest = sha256Of(text);
    if (!reference.startsWith('sha256:') || digest === reference) return { text, digest };
    throw new Failure('DigestMismatch', `${this.#called(reference)} answers with another manifest, ${digest}.`);
  }

  /** Stores a manifest; its blobs must be there already. Returns its digest. */
  async putManifest(reference: string | undefined, text: string, type = OCI_MANIFEST): Promise<string> {
    const digest = sha256Of(text);
    const url = this.#url('manifests', reference ?? digest);
    const answer = await this.#ask('push', url, { method: 'PUT', headers: { 'content-type': type }, body: text });
    if (answer.status !== 201) throw await answerFailure(this.#called(reference ?? digest), answer);
    await answer.body.dump();
    return digest;
  }

  /** false: the registry keeps no list of what refers to a manifest, and the client must (OCI 1.1, fallback tag). */
  async listsReferrers(digest: string): Promise<boolean> {
    const answer = await this.#ask('pull', this.#url('referrers', digest), {});
    await answer.body.dump();
    return answer.status === 200;
  }

  async removeManifest(digest: string): Promise<void> {
    const answer = await this.#ask('delete', this.#url('manifests', digest), { method: 'DELETE' });
    if ([202, 404].includes(answer.status)) return answer.body.dump();
    if ([400, 405].includes(answer.status)) {
      await answer.body.dump();
      throw new Failure(
        'StoreUnavailable',
        `The registry of ${this.#called(digest)} deletes nothing: allow it there, or delete it by its own means.`,
      );
    }
    throw await answerFailure(this.#called(digest), answer);
  }

  async tags(): Promise<readonly string[]> {
    const tags: string[] = [];
    for (let url: string | undefined = `${this.#url('tags', 'list')}?n=1000`; url !== undefined; ) {
      const answer = await this.#ask('pull', url, {});
      if (answer.status === 404) {
        await answer.body.dump();
        return tags;
      }
      if (answer.status !== 200) throw await answerFailure(this.#called('tags'), answer);
      const page = JSON.parse(await answer.body.text()) as { tags?: string[] | null };
      tags.push(...(page.tags ?? []));
      const next = /<([^>]+)>;\s*rel="?next"?/.exec(answer.header('link') ?? '')?.[1];
      url = next === undefined ? undefined : String(new URL(next, this.#base));
    }
    return tags;
  }

  async hasBlob(digest: string): Promise<boolean> {
    const answer = await this.#ask('pull', this.#url('blobs', digest), { method: 'HEAD' });
    await answer.body.dump();
    return answer.status === 200;
  }

  async blob(digest: string, from: number): Promise<Readable> {
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const answer = await this.#ask('pull', this.#url('blobs', digest), { headers });
    if (answer.status === 206 || (answer.status === 200 && from === 0)) return answer.body;
    if (answer.status === 200) return skipped(answer.body, from);
    throw await answerFailure(this.#called(digest), answer);
  }

  /** Sends a small blob; one that is there is not sent again. */
  async putBlob(content: string | Buffer): Promise<string> {
    const bytes = Buffer.from(content);
    const digest = sha256Of(bytes);
    if (!(await this.hasBlob(digest))) await this.#send(digest, bytes.length, () => bytes, 1);
    return digest;
  }

  /** Sends a file whose hash is known; the registry checks it. One that is there is not sent again. */
  async putFile(digest: string, from: string, size: number, seen: (bytes: number) => void): Promise<void> {
    if (await this.hasBlob(digest)) return seen(size);
    await this.#send(digest, size, () => createReadStream(from, { highWaterMark: 1024 * 1024 }), 3);
    seen(size);
  }

  /** One whole upload, begun anew when it was cut off: registries differ in what they keep of a half one. */
  async #send(digest: string, size: number, body: () => Buffer | Readable, tries: number): Promise<void> {
    const begun = await this.#ask('push', `${this.#url('blobs', 'uploads')}/`, { method: 'POST' });
    if (begun.status !== 202) throw await answerFailure(this.#called('uploads'), begun);
    await begun.body.dump();
    const url = new URL(begun.header('location') ?? '', this.#base);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    try {
      const answer = await this.#ask('push', String(url), { method: 'PUT', headers, body: body() });
      if (answer.status !== 201) throw await answerFailure(this.#called(digest), answer);
      await answer.body.dump();
    } catch (error) {
      if (tries <= 1 || !(error instanceof Failure) || error.reason !== 'StoreUnavailable') throw error;
      await this.#send(digest, size, body, tries - 1);
    }
  }

  async #ask(action: 'pull' | 'push' | 'delete', url: string, asked: WebRequest): Promise<WebAnswer> {
    const grant = this.#granted.get(action);
    const headers = { ...asked.headers, ...(grant === undefined ? {} : { authorization: grant }) };
    const answer = await this.#client.ask(url, { ...asked, headers });
    const challenge = answer.status === 401 ? answer.header('www-authenticate') : undefined;
    const isOnce = asked.body !== undefined && typeof asked.body !== 'string' && !Buffer.isBuffer(asked.body);
    if (challenge === undefined || isOnce) return answer;
    const scope = `repository:${this.#name}:${action === 'push' ? 'pull,push' : action}`;
    const authorization = await authorizationFor(challenge, scope, this.#login, this.#client);
    if (authorization === undefined || authorization === grant) return answer;
    await answer.body.dump();
    this.#granted.set(action, authorization);
    return this.#client.ask(url, { ...asked, headers: { ...asked.headers, authorization } });
  }

  #url(kind: string, reference: string): string {
    return `${this.#base}/v2/${this.#name}/${kind}/${reference}`;
  }

  #called(reference: string): string {
    return `${this.#base.replace(/^https?/, 'oci')}/${this.#name} ${reference}`;
  }
}
