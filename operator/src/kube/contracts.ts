import type { Client } from './client.ts';
import type { Outcome } from './outcome.ts';
import type { Key, Resource } from './resource.ts';
import type { KubeObject, Stored } from './wire.ts';

/** Read side of an informer's cache. Objects are shared: never change one. */
export interface Store<T extends KubeObject> {
  get(key: Key): Stored<T> | undefined;
  list(namespace?: string): readonly Stored<T>[];
  /** Objects whose index function returned `value`. Throws on an index that was not declared. */
  by(index: string, value: string): readonly Stored<T>[];
}

/** Verbs a controller needs on a resource. The RBAC manifests are generated from these, and the client refuses the rest. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
export interface Grant {
  readonly resource: Resource;
  readonly verbs: readonly Verb[];
  readonly subresource?: string;
}

/** A kind a controller watches, and which of its own objects a change of it concerns. */
export interface Source<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  readonly labelSelector?: string;
  readonly indexes?: Readonly<Record<string, (object: Stored<T>) => readonly string[]>>;
  readonly toKeys: (object: Stored<T>) => readonly Key[];
}
export const source = <T extends KubeObject>(s: Source<T>): Source => s as unknown as Source;

/** Something that happened to an object, told once the pass's writes succeeded. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string; // PascalCase
  readonly action: string; // PascalCase verb: what the controller did
  readonly message: string;
}
export interface EventRecorder {
  /** Never throws and never waits: a lost Event must not fail a pass. Repeats within 6 minutes are aggregated. */
  emit(about: KubeObject, note: EventNote): void;
}

/** What the manager hands a controller when it is built. */
export interface ControllerContext {
  readonly client: Client;
  readonly store: <T extends KubeObject>(resource: Resource<T>) => Store<T>;
  readonly events: EventRecorder;
  readonly now: () => Date;
  readonly random: () => number; // [0, 1)
  /** Puts a key on this controller's queue, e.g. from a poll loop of its own. */
  readonly enqueue: (key: Key, afterMs?: number) => void;
}

export interface Reconciler {
  /** One pass over one object. Passes over the same key never overlap. */
  reconcile(key: Key, signal: AbortSignal): Promise<Outcome>;
  /** Called once when the manager stops. */
  stop?(): Promise<void>;
}

export interface ControllerSpec {
  /** Also its field manager: `slipway-<name>`. */
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly sources: readonly Source[];
  readonly workers?: number; // default 4
  /** Longest wait after passes that failed in a row. Default a minute. */
  readonly longestWaitMs?: number;
  readonly build: (context: ControllerContext) => Reconciler;
}
