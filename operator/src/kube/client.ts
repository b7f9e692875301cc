import type { Key, Resource } from './resource.ts';
import type { KubeObject, Stored } from './wire.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}
export interface ApplyOptions extends CallOptions {
  /** One field manager a controller: the server then removes what a pass no longer asks for. */
  readonly fieldManager: string;
  /** Asks the server to validate and default, and to store nothing. */
  readonly dryRun?: boolean;
}
export interface ListOptions extends CallOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface LogOptions extends CallOptions {
  readonly container: string;
  /** Lines from the end. */
  readonly tailLines: number;
  /** Bytes from the beginning of those lines; no more is read whatever the server sends. */
  readonly limitBytes: number;
}

/** Typed calls to one API server, plain JSON both ways. Failures are ApiError (errors.ts); a missing object is undefined. */
export interface Client {
  get<T extends KubeObject>(resource: Resource<T>, key: Key, options?: CallOptions): Promise<Stored<T> | undefined>;
  /** Every page of the list. */
  list<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    options?: ListOptions,
  ): Promise<Stored<T>[]>;
  create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options?: CallOptions & { readonly dryRun?: boolean },
  ): Promise<Stored<T>>;
  /** Server-side apply, forced: an object of ours is ours. */
  apply<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<Stored<T>>;
  /** Server-side apply of the status subresource. `object` carries apiVersion, kind, metadata {name, namespace} and status. */
  applyStatus<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<Stored<T>>;
  /** RFC 7396 merge patch. */
  merge<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    patch: unknown,
    options?: CallOptions,
  ): Promise<Stored<T>>;
  /** The last lines that a container wrote. undefined: there is no such pod, or no log of it any more. */
  podLog(key: Key, options: LogOptions): Promise<string | undefined>;
  /** Deletes; an object that is already gone is no error. `uid` guards against deleting its successor. */
  delete(
    resource: Resource,
    key: Key,
    options?: CallOptions & { readonly uid?: string; readonly propagation?: 'Background' | 'Foreground' | 'Orphan' },
  ): Promise<void>;
}
