import { Failure, sentenceOf } from '../../artifact/failure.ts';
import type { FoundModel } from './modelFolder.ts';
import type { ModelRepository, ModelState, RepositoryEntry, ServedModel } from './servedModel.ts';

/** A model version with the means to end it. */
export interface LoadedModel {
  readonly model: ServedModel;
  /** Takes nothing new; resolves when all that was taken is answered and the memory is given back. */
  close(): Promise<void>;
}

export interface RepositoryOptions {
  /** What there is to load now, sorted by name and then version, oldest first. Throws Failure. */
  readonly find: () => Promise<readonly FoundModel[]>;
  /** Reads, proves and warms one version. Throws Failure. */
  readonly open: (found: FoundModel) => Promise<LoadedModel>;
  readonly versions: 'Newest' | 'All';
  readonly controllable: boolean;
  /** Resolves when requests that found a model before it was replaced have had the time to reach its queue. */
  readonly linger: () => Promise<void>;
}

interface Entry {
  state: ModelState;
  reason: string;
  loaded: LoadedModel | undefined;
}

/** What a lookup by name finds: replaced as a whole, so that no request sees half of a swap. */
interface Ready {
  readonly newest: ServedModel;
  readonly versions: ReadonlyMap<string, ServedModel>;
}

/**
 * The models of the process. A new version is loaded whole beside the old one, then lookups are switched, then the old
 * one is drained and closed: there is no moment without a model. Changes of one name happen one after the other.
 */
export class Repository implements ModelRepository {
  readonly controllable: boolean;
  readonly #options: RepositoryOptions;
  readonly #ready = new Map<string, Ready>();
  readonly #entries = new Map<string, Map<string, Entry>>();
  /** The end of the last change of each name that is being changed. */
  readonly #changes = new Map<string, Promise<void>>();

  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.controllable = options.controllable;
  }

  /** Loads everything there is. Throws the first Failure: a server without one of its models does not start. */
  async start(): Promise<void> {
    const names = new Set((await this.#options.find()).map(({ name }) => name));
    for (const name of names) {
      await this.load(name).catch((error: unknown) => {
        throw names.size > 1 ? namedFailure(name, error) : error;
      });
    }
  }

  find(name: string, version?: string): ServedModel | undefined {
    const ready = this.#ready.get(name);
    return version === undefined || ready === undefined ? ready?.newest : ready.versions.get(version);
  }

  knows(name: string, version?: string): boolean {
    const entries = [...(this.#entries.get(name) ?? [])].filter(
      ([, { state, reason }]) => state !== 'UNAVAILABLE' || reason !== UNLOADED,
    );
    return version === undefined ? entries.length > 0 : entries.some(([known]) => known === version);
  }

  /** Whether every model that is served has something to run on. */
  get healthy(): boolean {
    return this.all().every(({ healthy }) => healthy);
  }

  /** Every version that answers. */
  all(): readonly ServedModel[] {
    return [...this.#ready.values()].flatMap(({ versions }) => [...versions.values()]);
  }

  names(): readonly string[] {
    return [...this.#ready.keys()];
  }

  versions(name: string): readonly string[] {
    return [...(this.#ready.get(name)?.versions.keys() ?? [])];
  }

  index(): readonly RepositoryEntry[] {
    return [...this.#entries].flatMap(([name, versions]) =>
      [...versions].map(([version, { state, reason }]) => ({ name, version, state, reason })),
    );
  }

  load(name: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#inTurn(name, () => this.#load(name, resolve).catch(reject));
    return promise;
  }

  unload(name: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#inTurn(name, () => this.#unload(name).then(resolve, reject));
    return promise;
  }

  /** Waits for changes under way and ends every model. Nothing lingers: the ports are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#changes.values());
    this.#ready.clear();
    await Promise.all(this.#allLoaded().map((loaded) => loaded.close()));
  }

  #allLoaded(): readonly LoadedModel[] {
    return [...this.#entries.values()].flatMap((versions) =>
      [...versions.values()].flatMap(({ loaded }) => (loaded ? [loaded] : [])),
    );
  }

  #inTurn(name: string, change: () => Promise<void>): void {
    const turn = (this.#changes.get(name) ?? Promise.resolve()).then(change).finally(() => {
      if (this.#changes.get(name) === turn) this.#changes.delete(name); // callers may make names up for ever
    });
    this.#changes.set(name, turn);
  }

  /** `done` is called when the new versions answer; the old ones may still be answering what they have. */
  async #load(name: string, done: () => void): Promise<void> {
    const found = (await this.#options.find()).filter((candidate) => candidate.name === name);
    if (found.length === 0) throw new Failure('ModelMissing', `There is no model "${name}" to load.`);
    const wanted = this.#options.versions === 'All' ? found : found.slice(-1);
    const opened = await this.#open(name, wanted);
    const old = this.#switch(name, opened);
    done();
    await this.#retire(old);
  }

  async #open(name: string, wanted: readonly FoundModel[]): Promise<ReadonlyMap<string, LoadedModel>> {
    const opened = new Map<string, LoadedModel>();
    for (const found of wanted) {
      const entry = this.#entry(name, found.version);
      if (!entry.loaded) entry.state = 'LOADING';
      try {
        opened.set(found.version, await this.#options.open(found));
      } catch (error) {
        await Promise.all([...opened.values()].map((loaded) => loaded.close()));
        for (const { version } of wanted) this.#fail(this.#entry(name, version), sentenceOf(error));
        throw error;
      }
    }
    return opened;
  }

  /** What answers already goes on answering. */
  #fail(entry: Entry, reason: string): void {
    if (entry.loaded) return;
    entry.state = 'UNAVAILABLE';
    entry.reason = reason;
  }

  #entry(name: string, version: string): Entry {
    const versions = this.#entries.get(name) ?? new Map<string, Entry>();
    this.#entries.set(name, versions);
    const entry = versions.get(version) ?? { state: 'UNAVAILABLE', reason: '', loaded: undefined };
    versions.set(version, entry);
    return entry;
  }

  /** Lookups find the opened versions from here on. Returns what they found before. */
  #switch(name: string, opened: ReadonlyMap<string, LoadedModel>): readonly LoadedModel[] {
    const entries = this.#entries.get(name) ?? new Map<string, Entry>();
    const old = [...entries.values()].flatMap(({ loaded }) => (loaded ? [loaded] : []));
    entries.clear();
    this.#entries.set(name, entries);
    for (const [version, loaded] of opened) entries.set(version, { state: 'READY', reason: '', loaded });
    const versions = new Map([...opened].map(([version, { model }]) => [version, model]));
    const newest = [...versions.values()].at(-1);
    if (newest) this.#ready.set(name, { newest, versions });
    return old;
  }

  async #unload(name: string): Promise<void> {
    const entries = this.#entries.get(name);
    if (!entries) throw new Failure('ModelMissing', `There is no model "${name}" to unload.`);
    this.#ready.delete(name);
    const old: LoadedModel[] = [];
    for (const entry of entries.values()) {
      if (entry.loaded) old.push(entry.loaded);
      entry.state = 'UNLOADING';
      entry.loaded = undefined;
    }
    await this.#retire(old);
    for (const entry of entries.values()) {
      entry.state = 'UNAVAILABLE';
      entry.reason = UNLOADED;
    }
  }

  async #retire(old: readonly LoadedModel[]): Promise<void> {
    if (old.length === 0) return;
    await this.#options.linger();
    await Promise.all(old.map((loaded) => loaded.close()));
  }
}

/** Reason of a version that was taken out by a caller: to others the model is then unknown, not merely away. */
const UNLOADED = 'unloaded';

/** Among several models, a sentence about "model.onnx" tells nobody which one to mend. */
const namedFailure = (name: string, error: unknown): unknown =>
  error instanceof Failure ? new Failure(error.reason, `Model "${name}": ${error.message}`, { cause: error }) : error;
