import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { TakenVersion } from '../../domain/training/version.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import type { Stored } from '../../kube/wire.ts';

type Tj = Stored<TrainingJob>;

/** A job that the cache has not shown for so long is gone. */
const CACHE_LAGS_MS = 60_000;

const isNewer = (a: Tj, b: Tj): boolean => BigInt(a.metadata.resourceVersion) > BigInt(b.metadata.resourceVersion);

/** A job that failed makes no version any more, so its claim is void. */
const holds = ({ metadata, status }: Tj): boolean =>
  status?.phase !== 'Failed' && metadata.deletionTimestamp === undefined && status?.version !== undefined;

/**
 * Which versions of a model are spoken for. The caches tell, and what they may not show yet is remembered: claims that
 * this process wrote, and those that the leader before wrote, from one list of the server. To list all jobs for each
 * claim would be a million of them where a thousand jobs come at once.
 */
export class KnownClaims {
  readonly #context: Pick<ControllerContext, 'client' | 'store' | 'now'>;
  readonly #ahead = new Map<string, { readonly tj: Tj; readonly at: number }>();
  readonly #before = new Map<string, Promise<void>>();

  constructor(context: Pick<ControllerContext, 'client' | 'store' | 'now'>) {
    this.#context = context;
  }

  /** Keeps a claim until the cache shows it. */
  remember(tj: Tj): void {
    this.#ahead.set(tj.metadata.uid, { tj, at: this.#context.now().getTime() });
  }

  async taken(tj: Tj, signal: AbortSignal): Promise<TakenVersion[]> {
    const { namespace = '' } = tj.metadata;
    const { name } = tj.spec.model;
    await this.#listOnce(namespace, signal);
    const made = this.#context
      .store(modelVersions)
      .list(namespace)
      .filter(({ spec }) => spec.model === name)
      .map(({ metadata, spec }) => ({ version: spec.version, by: `ModelVersion ${metadata.name}`, isMade: true }));
    const claimed = this.#jobs(namespace)
      .filter((other) => other.metadata.uid !== tj.metadata.uid && other.spec.model.name === name && holds(other))
      .map(({ metadata, status }) => ({
        version: status?.version ?? '',
        by: `TrainingJob ${metadata.name}`,
        isMade: false,
      }));
    return [...made, ...claimed];
  }

  /** All jobs of the namespace, each as new as it is known. */
  #jobs(namespace: string): Tj[] {
    const cached = new Map(
      this.#context
        .store(trainingJobs)
        .list(namespace)
        .map((tj) => [tj.metadata.uid, tj]),
    );
    for (const [uid, { tj, at }] of this.#ahead) {
      if (tj.metadata.namespace !== namespace) continue;
      const shown = cached.get(uid);
      if (shown === undefined ? this.#context.now().getTime() - at < CACHE_LAGS_MS : isNewer(tj, shown))
        cached.set(uid, tj);
      else this.#ahead.delete(uid);
    }
    return [...cached.values()];
  }

  /** Asked for again where it failed. */
  #listOnce(namespace: string, signal: AbortSignal): Promise<void> {
    const begun = this.#before.get(namespace);
    if (begun !== undefined) return begun;
    const list = this.#context.client.list(trainingJobs, namespace, { signal }).then((jobs) => {
      for (const tj of jobs) if (holds(tj)) this.remember(tj);
    });
    this.#before.set(namespace, list);
    list.catch(() => this.#before.delete(namespace));
    return list;
  }
}
