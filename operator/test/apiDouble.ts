import type { KubeObject } from '../src/kube/wire.ts';
import { type Front, openFront, type Request, type Response } from './front.ts';

type Stored = KubeObject & { metadata: { uid: string; resourceVersion: string } };
interface Logged {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: Stored;
}
export interface Fault {
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfter?: number;
  /** Closes the connection instead of answering. */
  readonly reset?: boolean;
  /** Does not answer at all. */
  readonly hang?: boolean;
}
export type Verb = 'list' | 'watch' | 'get' | 'create' | 'patch' | 'delete';

const PATH = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/configmaps(?:\/([^/]+))?$/;

/**
 * The one double of the API server: ConfigMaps in memory, with versions, pages, watches and bookmarks as the real one
 * keeps them, and faults on demand that the real one shows only on a bad day. Everything else is tested on the real one.
 */
export class ApiDouble {
  readonly seen: { readonly verb: Verb; readonly url: URL; readonly authorization: string }[] = [];
  /** Authorization header that is accepted; undefined accepts all. */
  authorization: string | undefined;
  #front: Front | undefined;
  #version = 100;
  #oldest = 0;
  #uids = 0;
  #compactsAfterPage = false;
  readonly #objects = new Map<string, Stored>();
  readonly #log: Logged[] = [];
  readonly #snapshots = new Map<string, { readonly version: number; readonly rest: Stored[] }>();
  readonly #watches = new Set<Response>();
  readonly #faults: { readonly verb: Verb; readonly fault: Fault }[] = [];

  static async open(): Promise<ApiDouble> {
    const double = new ApiDouble();
    double.#front = await openFront((request, response) => double.#answer(request, response));
    return double;
  }

  get front(): Front {
    if (this.#front === undefined) throw new Error('not open');
    return this.#front;
  }

  /** Every change ever made, in order. */
  get history(): readonly { readonly type: string; readonly uid: string; readonly version: number }[] {
    return this.#log.map(({ type, version, object }) => ({ type, version, uid: object.metadata.uid }));
  }

  get objects(): readonly Stored[] {
    return [...this.#objects.values()];
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** The next request of this verb gets the fault; faults of one verb are used up in order. */
  failNext(verb: Verb, fault: Fault, times = 1): void {
    for (let i = 0; i < times; i++) this.#faults.push({ verb, fault });
  }

  put(name: string, text = '', namespace = 'default'): Stored {
    const key = `${namespace}/${name}`;
    const old = this.#objects.get(key);
    const uid = old?.metadata.uid ?? `uid-${++this.#uids}`;
    const metadata = {
      name,
      namespace,
      uid,
      resourceVersion: String(++this.#version),
      managedFields: [{ manager: 'x' }],
    };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } };
    this.#objects.set(key, object);
    this.#tell({ type: old === undefined ? 'ADDED' : 'MODIFIED', version: this.#version, object });
    return object;
  }

  remove(name: string, namespace = 'default'): void {
    const key = `${namespace}/${name}`;
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    const object = { ...old, metadata: { ...old.metadata, resourceVersion: String(++this.#version) } };
    this.#tell({ type: 'DELETED', version: this.#version, object });
  }

  /** Forgets history: every older resource version and every continue token gets 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#snapshots.clear();
  }

  /** Compacts as soon as the next page of a list was read. */
  compactAfterNextPage(): void {
    this.#compactsAfterPage = true;
  }

  bookmark(): void {
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) } };
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** Ends open watches as the server does when their version was compacted under them. */
  expireWatches(): void {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    for (const watch of this.#watches) watch.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    this.#watches.clear();
  }

  /** Ends open watches cleanly, as the server does after timeoutSeconds. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  /** Makes a change of which the watchers get half a line before their connection is reset. */
  async putCutOff(name: string, text: string): Promise<void> {
    const watches = [...this.#watches];
    this.#watches.clear();
    const line = JSON.stringify({ type: 'MODIFIED', object: this.put(name, text) });
    await Promise.all(watches.map((w) => new Promise((sent) => w.write(line.slice(0, line.length / 2), sent))));
    this.front.relay.resetAll();
  }

  async close(): Promise<void> {
    await this.front.close();
  }

  #tell(logged: Logged): void {
    this.#log.push(logged);
    for (const watch of this.#watches) watch.write(lineOf(logged));
  }

  #answer(request: Request, response: Response): void {
    const url = new URL(request.url, 'https://double');
    const [, namespace, name] = PATH.exec(url.pathname) ?? [];
    const verb = verbOf(request.method, url, name);
    const authorization = String(request.headers.authorization ?? '');
    this.seen.push({ verb, url, authorization });
    const index = this.#faults.findIndex((f) => f.verb === verb);
    const fault = index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    const known = this.authorization === undefined || authorization === this.authorization;
    if (fault !== undefined) this.#fail(response, fault);
    else if (!known) status(response, { status: 401, reason: 'Unauthorized' });
    else if (verb === 'list') this.#list(url, namespace, response);
    else if (verb === 'watch') this.#watch(url, response);
    else void this.#single(verb, namespace ?? '', name, request, response);
  }

  #fail(response: Response, fault: Fault): void {
    if (fault.reset) this.front.relay.resetAll();
    else if (!fault.hang) status(response, fault);
  }

  #list(url: URL, namespace: string | undefined, response: Response): void {
    const token = url.searchParams.get('continue');
    const snapshot = token === null ? this.#snapshot(namespace) : this.#snapshots.get(token);
    if (snapshot === undefined) {
      status(response, { status: 410, reason: 'Expired' });
      return;
    }
    const limit = Number(url.searchParams.get('limit') ?? Number.POSITIVE_INFINITY);
    const items = snapshot.rest.slice(0, limit).map(({ apiVersion: _a, kind: _k, ...item }) => item);
    const rest = snapshot.rest.slice(limit);
    const next = rest.length === 0 ? undefined : `page-${snapshot.version}-${rest.length}`;
    if (next !== undefined) this.#snapshots.set(next, { version: snapshot.version, rest });
    if (this.#compactsAfterPage) this.compact();
    this.#compactsAfterPage = false;
    const metadata = { resourceVersion: String(snapshot.version), ...(next === undefined ? {} : { continue: next }) };
    json(response, 200, { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items });
  }

  #snapshot(namespace: string | undefined) {
    const rest = this.objects.filter((o) => namespace === undefined || o.metadata.namespace === namespace);
    return { version: this.#version, rest };
  }

  #watch(url: URL, response: Response): void {
    const since = Number(url.searchParams.get('resourceVersion'));
    if (since < this.#oldest) {
      status(response, { status: 410, reason: 'Expired' });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    // As the real one: a watch is answered at once, also when there is nothing to tell yet.
    response.flushHeaders?.();
    response.stream?.on('error', () => {});
    for (const logged of this.#log) if (logged.version > since) response.write(lineOf(logged));
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }

  async #single(verb: Verb, namespace: string, name: string | undefined, request: Request, response: Response) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const found = this.#objects.get(`${namespace}/${name}`);
    if (verb === 'delete' && name !== undefined) this.remove(name, namespace);
    if (verb === 'create') json(response, 201, this.put(body.metadata.name, body.data?.text, namespace));
    else if (verb === 'patch' && name !== undefined) json(response, 200, this.put(name, body.data?.text, namespace));
    else if (found === undefined) status(response, { status: 404, reason: 'NotFound' });
    else json(response, 200, found);
  }
}

const lineOf = ({ type, object }: Logged): string => `${JSON.stringify({ type, object })}\n`;

function verbOf(method: string, url: URL, name: string | undefined): Verb {
  if (method === 'POST') return 'create';
  if (method === 'PATCH') return 'patch';
  if (method === 'DELETE') return 'delete';
  if (name !== undefined) return 'get';
  return url.searchParams.get('watch') === 'true' ? 'watch' : 'list';
}

function json(response: Response, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function status(response: Response, { status: code = 500, reason = 'InternalError', retryAfter }: Fault): void {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  json(response, code, { kind: 'Status', apiVersion: 'v1', code, reason, message: `fault: ${reason}` }, headers);
}
