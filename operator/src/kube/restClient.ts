import type { ApplyOptions, CallOptions, Client, ListOptions, LogOptions } from './client.ts';
import { isConflict, isExpired, isNotFound } from './errors.ts';
import { apiVersionOf, type Key, type Resource } from './resource.ts';
import type { ApiRequest, Transport } from './transport.ts';
import type { KubeObject, Stored } from './wire.ts';

const PAGE = 500;

/** Path of a collection, of one object, or of a subresource of it. `namespace` undefined lists across all namespaces. */
export function pathOf(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? ['namespaces', namespace] : [];
  const rest = [...scope, resource.plural, name, subresource].filter((part) => part !== undefined);
  return [base, ...rest.map(encodeURIComponent)].join('/');
}

/** Lists of built-in kinds carry no apiVersion and kind; managedFields are half of an object's size and of no use to us. */
export function asStored<T extends KubeObject>(resource: Resource<T>, raw: unknown): Stored<T> {
  const { metadata, ...rest } = raw as { metadata: Record<string, unknown> };
  const { managedFields: _, ...kept } = metadata;
  const stored = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...rest, metadata: kept };
  return (resource.whole?.(stored as unknown as T) ?? stored) as unknown as Stored<T>;
}

interface RawList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[] | null;
}
export interface Listed<T extends KubeObject> {
  readonly objects: Stored<T>[];
  /** Where a watch has to start to miss nothing. */
  readonly resourceVersion: string;
}

async function pages(transport: Transport, request: ApiRequest, limit: number | undefined): Promise<RawList> {
  const items: unknown[] = [];
  for (let token: string | undefined; ; ) {
    const query = { ...request.query, limit: limit?.toString(), continue: token };
    const page = (await transport.call({ ...request, query })) as RawList;
    items.push(...(page.items ?? []));
    token = page.metadata.continue || undefined;
    if (token === undefined) return { metadata: page.metadata, items };
  }
}

/** A consistent list, read in pages. When the pages expire under it, everything is read at once: that cannot expire. */
export async function listAll<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  namespace: string | undefined,
  { labelSelector, fieldSelector, signal }: ListOptions = {},
): Promise<Listed<T>> {
  const query = { labelSelector, fieldSelector };
  const request: ApiRequest = { verb: 'list', method: 'GET', path: pathOf(resource, namespace), query, signal };
  const list = await pages(transport, request, PAGE).catch((error: unknown) => {
    if (isExpired(error)) return pages(transport, request, undefined);
    throw error;
  });
  const objects = (list.items ?? []).map((raw) => asStored(resource, raw));
  return { objects, resourceVersion: list.metadata.resourceVersion };
}

const namesNothing = (error: unknown): undefined => {
  if (isNotFound(error)) return undefined;
  throw error;
};

const PODS: Resource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/** The server passes a log on from the kubelet as text, so it is read as a stream, and no further than asked for. */
async function readLog(
  transport: Transport,
  { namespace, name }: Key,
  { container, tailLines, limitBytes, signal }: LogOptions,
): Promise<string> {
  const query = { container, tailLines: String(tailLines), limitBytes: String(limitBytes) };
  const path = pathOf(PODS, namespace, name, 'log');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of await transport.stream({ verb: 'get', method: 'GET', path, query, signal })) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limitBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, limitBytes).toString();
}

export function createRestClient(transport: Transport): Client {
  const one = async <T extends KubeObject>(resource: Resource<T>, request: ApiRequest): Promise<Stored<T>> =>
    asStored(resource, await transport.call(request));

  const applyAt = <T extends KubeObject>(resource: Resource<T>, object: T, o: ApplyOptions, subresource?: string) =>
    one(resource, {
      verb: 'apply',
      method: 'PATCH',
      path: pathOf(resource, object.metadata.namespace, object.metadata.name, subresource),
      query: {
        fieldManager: o.fieldManager,
        force: 'true',
        fieldValidation: 'Strict',
        dryRun: o.dryRun ? 'All' : undefined,
      },
      body: object,
      contentType: 'application/apply-patch+yaml',
      signal: o.signal,
    });

  return {
    get: (resource, key, { signal }: CallOptions = {}) =>
      one(resource, { verb: 'get', method: 'GET', path: pathOf(resource, key.namespace, key.name), signal }).catch(
        namesNothing,
      ),
    list: async (resource, namespace, options) => (await listAll(transport, resource, namespace, options)).objects,
    create: (resource, object, { signal, dryRun } = {}) =>
      one(resource, {
        verb: 'create',
        method: 'POST',
        path: pathOf(resource, object.metadata.namespace),
        query: { fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
        body: object,
        signal,
      }),
    apply: (resource, object, options) => applyAt(resource, object, options),
    applyStatus: (resource, object, options) => applyAt(resource, object, options, 'status'),
    merge: (resource, key, patch, { signal } = {}) =>
      one(resource, {
        verb: 'patch',
        method: 'PATCH',
        path: pathOf(resource, key.namespace, key.name),
        body: patch,
        contentType: 'application/merge-patch+json',
        signal,
      }),
    podLog: (key, options) => readLog(transport, key, options).catch(namesNothing),
    delete: async (resource, key, { signal, uid, propagation = 'Background' } = {}) => {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      await transport
        .call({
          verb: 'delete',
          method: 'DELETE',
          path: pathOf(resource, key.namespace, key.name),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, ...preconditions },
          signal,
        })
        .catch((error: unknown) => {
          if (uid !== undefined && isConflict(error)) return; // its successor stands there now
          namesNothing(error);
        });
    },
  };
}
