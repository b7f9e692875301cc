import type { Client } from './client.ts';
import { isAlreadyExists, isConflict } from './errors.ts';
import { microTime } from './microTime.ts';
import { Reflector, type Surroundings } from './reflector.ts';
import { type Key, resource } from './resource.ts';
import type { KubeObject, Stored } from './wire.ts';

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}
export const leases = resource<Lease>('coordination.k8s.io', 'v1', 'Lease', 'leases');

export interface ElectionOptions {
  readonly client: Client;
  readonly key: Key;
  /** Unique to this process: a restarted pod of the same name is someone else. */
  readonly identity: string;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly retryMs: number;
}

const SHORTEST_CALL_MS = 250;

/** The lease could not be renewed in time: whatever this replica was doing, another may be doing now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/**
 * One leader among the replicas, by a coordination.k8s.io Lease. As client-go: clocks of different machines are never
 * compared; a lease counts as abandoned when *we* saw no renewal for as long as its holder promised.
 */
export class Election {
  readonly #around: Surroundings;
  readonly #options: ElectionOptions;
  #seen: { readonly version: string; readonly endsAt: number } | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(around: Surroundings, options: ElectionOptions) {
    this.#around = around;
    this.#options = options;
  }

  /** True while no other replica can have taken over. */
  holds(): boolean {
    return this.#now() - this.#renewedAt < this.#options.leaseMs;
  }

  /** Waits until this replica leads. Resolves without leading when `signal` aborts: ask holds(). */
  async acquire(signal: AbortSignal): Promise<void> {
    const standby = new AbortController();
    const watching = this.#watch(AbortSignal.any([signal, standby.signal]));
    while (!signal.aborted && !(await this.#attempt())) await this.#rest(signal);
    standby.abort();
    await watching;
    this.#around.meter.leading(this.holds());
    if (this.holds()) this.#around.log.info({ identity: this.#options.identity }, 'leading');
  }

  /** Renews until `signal` aborts; rejects with LeaseLostError when the lease is lost. */
  async hold(signal: AbortSignal): Promise<void> {
    const { renewMs, retryMs } = this.#options;
    while (!signal.aborted) {
      await this.#around.clock.sleep(retryMs, signal);
      if (signal.aborted || (await this.#attempt())) continue;
      if (this.#now() - this.#renewedAt < renewMs) continue;
      this.#renewedAt = Number.NEGATIVE_INFINITY;
      this.#around.meter.leading(false);
      throw new LeaseLostError(`the lease ${this.#options.key.name} could not be renewed within ${renewMs} ms`);
    }
  }

  /** Lets another replica lead at once. Only after the last write. */
  async release(): Promise<void> {
    if (!this.holds()) return;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    this.#around.meter.leading(false);
    const { client, key } = this.#options;
    await this.#try(async () => {
      const lease = await client.get(leases, key, { signal: this.#deadline() });
      if (lease !== undefined && this.#isOurs(lease)) await this.#write(lease, { holderIdentity: null });
      return true;
    });
  }

  /** One try to take or renew the lease. Never throws: no answer is no lease. */
  #attempt(): Promise<boolean> {
    const started = this.#now();
    return this.#try(async () => {
      const { client, key } = this.#options;
      const lease = await client.get(leases, key, { signal: this.#deadline() });
      if (lease === undefined) await this.#create();
      else if (this.#isOurs(lease) || this.#isFree(lease)) await this.#take(lease);
      else return this.#lost();
      // Counted from before the call: the server may have taken it at any moment since.
      this.#renewedAt = started;
      return true;
    });
  }

  #lost(): boolean {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    return false;
  }

  async #try(step: () => Promise<boolean>): Promise<boolean> {
    try {
      return await step();
    } catch (error) {
      const { log } = this.#around;
      const raced = isConflict(error) || isAlreadyExists(error);
      if (!raced)
        log.warn({ lease: this.#options.key.name, message: (error as Error).message }, 'no answer to the lease');
      return false;
    }
  }

  #isOurs({ spec }: Lease): boolean {
    return spec?.holderIdentity === this.#options.identity;
  }

  #isFree(lease: Stored<Lease>): boolean {
    if (!lease.spec?.holderIdentity) return true;
    return this.#now() >= this.#endOf(lease);
  }

  /** When the lease ends if it is not renewed: counted from when we first saw this state of it. */
  #endOf({ metadata: { resourceVersion: version }, spec }: Stored<Lease>): number {
    if (this.#seen?.version !== version)
      this.#seen = { version, endsAt: this.#now() + (spec?.leaseDurationSeconds ?? 0) * 1000 };
    return this.#seen.endsAt;
  }

  #spec(): NonNullable<Lease['spec']> {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.ceil(this.#options.leaseMs / 1000),
      renewTime: microTime(this.#around.clock.now()),
    };
  }

  async #create(): Promise<void> {
    const { client, key } = this.#options;
    const spec = { ...this.#spec(), acquireTime: microTime(this.#around.clock.now()), leaseTransitions: 0 };
    const lease: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...key }, spec };
    await client.create(leases, lease, { signal: this.#deadline() });
  }

  async #take(lease: Stored<Lease>): Promise<void> {
    const taken = {
      acquireTime: microTime(this.#around.clock.now()),
      leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1,
    };
    await this.#write(lease, { ...this.#spec(), ...(this.#isOurs(lease) ? {} : taken) });
  }

  /** The resource version makes it a compare-and-swap: of two replicas one gets a conflict. */
  async #write({ metadata: { resourceVersion } }: Stored<Lease>, spec: Lease['spec']): Promise<void> {
    const patch = { metadata: { resourceVersion }, spec };
    await this.#options.client.merge(leases, this.#options.key, patch, { signal: this.#deadline() });
  }

  /** A standby hears of each renewal and of a release at once; polling alone would see both late. */
  #watch(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options.key;
    const wake = (): void => this.#wake.abort();
    const look = (lease: Stored<Lease>): void => (this.#isFree(lease) ? wake() : undefined);
    return new Reflector(this.#around, {
      resource: leases,
      scope: { namespace, fieldSelector: `metadata.name=${name}` },
      sink: { replace: (found) => found.forEach(look), upsert: look, remove: wake },
    }).run(signal);
  }

  /** Until something changes, the lease ends, or it is time to look for oneself: the watch may be down. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#around;
    this.#wake = new AbortController();
    const poll = this.#options.retryMs * (0.9 + 0.2 * random());
    const left = (this.#seen?.endsAt ?? Number.POSITIVE_INFINITY) - this.#now();
    await clock.sleep(left > 0 ? Math.min(poll, left) : poll, AbortSignal.any([signal, this.#wake.signal]));
  }

  /** A leader's call may not outlast the time it has left to renew. */
  #deadline(): AbortSignal {
    const half = this.#options.renewMs / 2;
    const left = this.#renewedAt + this.#options.renewMs - this.#now();
    return AbortSignal.timeout(Math.floor(left > 0 ? Math.min(Math.max(left, SHORTEST_CALL_MS), half) : half));
  }

  #now(): number {
    return this.#around.clock.now().getTime();
  }
}
