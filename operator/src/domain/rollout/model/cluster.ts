import { mergeConditions } from '../../../kube/conditions.ts';
import { revisionFor, specOf, targetOf, versionOf } from '../builders.ts';
import { type Plan, plan } from '../plan.ts';
import { routesOf } from '../routes.ts';
import { isAsking } from '../secondOpinion.ts';
import { isDown, unreadySince, withUnready } from '../unready.ts';
import { backendsOf, isProgrammed, TOTAL_WEIGHT } from '../weights.ts';
import type { RevisionFacts, RouteFacts, Target, World } from '../world.ts';
import { Counters, type Quality } from './counters.ts';
import { DataPlane } from './dataPlane.ts';

export const MINORS = [0, 1, 2] as const;
const START_MS = Date.parse('2030-01-01T12:00:00Z');

/** The object as the API server has it. */
interface Stored {
  readonly spec: World['spec'];
  readonly asked: World['asked'];
  readonly status: World['status'];
  readonly wanted: number;
  readonly generation: number;
}

interface Pods {
  asked: number;
  ready: number;
  fatal: boolean;
}

/** Where a pass ends that does not end well: the operator dies before this write, or the status write is refused. */
export type Fate =
  | 'Lives'
  | 'DiesBeforeRoute'
  | 'DiesAfterRoute'
  | 'DiesAmongPods'
  | 'DiesBeforeStatus'
  | 'StatusRefused';

/** A service, its pods, its gateway and its users, in memory. Nothing in it knows the rules. */
export class Cluster {
  now = START_MS;
  readonly plane = new DataPlane();
  readonly counters = new Counters();
  readonly pods = new Map<string, Pods>();
  /** Versions of the object, newest last: a cache may show an older one, but none older than our own last write. */
  readonly stored: Stored[];
  #lastOwnWrite = 0;
  quality: Record<number, Quality> = {};
  targets: Record<number, Target['state']> = {};
  requestsPerSecond = 200;
  /** Reasons of all Events so far. */
  readonly told = new Set<string>();
  canBeRead = true;
  endpointsLag = false;
  /** What the watches showed last, while they are lost. */
  frozen: (Pick<World, 'revisions' | 'route'> & { readonly writes: number }) | undefined;
  staleness = 0;
  readonly condemned = new Set<string>();
  #unready: ReadonlyMap<string, Date> = new Map();
  fate: Fate = 'Lives';

  constructor(
    rollout: Partial<World['spec']['rollout']>,
    min: number,
    traffic: Partial<World['spec']['traffic']> = {},
  ) {
    const spec = specOf(rollout, min);
    this.stored = [
      {
        spec: { ...spec, traffic: { ...spec.traffic, ...traffic } },
        asked: {},
        status: { stable: { ...versionOf(0), rolloutID: 'r-0' } },
        wanted: 1,
        generation: 1,
      },
    ];
    this.pods.set(revisionFor(0), { asked: min, ready: min, fatal: false });
    this.plane.write({ backends: backendsOf(this.latest.status), routes: [] });
  }

  get latest(): Stored {
    const latest = this.stored.at(-1);
    if (latest === undefined) throw new Error('nothing is stored');
    return latest;
  }

  /** A person, or Git, writes the object. */
  edit(change: (object: Stored) => Partial<Stored>): void {
    this.stored.push({ ...this.latest, ...change(this.latest) });
  }

  facts(): Pick<World, 'revisions' | 'route'> {
    const revisions = Object.fromEntries([...this.pods].map(([revision, pods]) => [revision, this.#factsOf(pods)]));
    return { revisions, route: this.#routeFacts() };
  }

  /** Without a gateway the weights are the shares of the ready pods that the Service selects. */
  #routeFacts(): RouteFacts {
    const route = this.plane.facts();
    if (this.latest.spec.traffic.provider !== 'Replicas' || route.state !== 'Programmed') return route;
    const ready = Object.keys(route.weights).map((name) => [name, this.pods.get(name)?.ready ?? 0] as const);
    const [first, ...rest] = ready.filter(([, count]) => count > 0);
    if (first === undefined) return { state: 'Pending' };
    const all = [first, ...rest].reduce((sum, [, count]) => sum + count, 0);
    const shares = rest.map(([name, count]) => [name, Math.round((TOTAL_WEIGHT * count) / all)] as const);
    const left = TOTAL_WEIGHT - shares.reduce((sum, [, share]) => sum + share, 0);
    return {
      state: 'Programmed',
      weights: Object.fromEntries([[first[0], left], ...shares]),
      pods: Object.fromEntries(ready),
    };
  }

  #factsOf({ asked, ready, fatal }: Pods): RevisionFacts {
    const trouble = fatal ? { trouble: { reason: 'ModelInvalid', message: 'it does not load', fatal } } : {};
    return { replicas: asked, ready, ...(this.endpointsLag ? { endpoints: Math.max(0, ready - 1) } : {}), ...trouble };
  }

  #read(): Stored {
    const at = Math.max(this.#lastOwnWrite, this.stored.length - 1 - this.staleness);
    return this.stored[at] ?? this.latest;
  }

  /** Pods as the watches show them, and the route likewise: but no older than our own last write of it. */
  #seen(): Pick<World, 'revisions' | 'route'> {
    if (this.frozen === undefined) return this.facts();
    return this.frozen.writes === this.plane.writes ? this.frozen : { ...this.frozen, route: { state: 'Pending' } };
  }

  world(object = this.#read()): World {
    const { spec, asked, status, wanted, generation } = object;
    const { revisions, route } = this.#seen();
    const programmed = isProgrammed({ route }, backendsOf(status), routesOf(spec, status));
    const sides = [status.candidate?.revision, status.stable?.revision].map((name) => revisions[name ?? '']);
    const down = sides.some((facts) => facts !== undefined && isDown(facts));
    const shown = `${status.candidate?.weight}/${status.candidate?.phase}/${programmed}/${down}`;
    this.counters.look(status.rolloutID ?? '', shown);
    const now = new Date(this.now);
    this.#unready = unreadySince(this.#unready, revisions, now);
    const previous = MINORS.find((minor) => revisionFor(minor) === status.previous?.revision);
    return {
      now,
      generation,
      guardPeriodMs: 1000,
      podsAreAsked: true,
      spec,
      status,
      asked,
      target: targetOf(wanted, this.targets[wanted]),
      ...(previous === undefined ? {} : { previous: targetOf(previous, this.targets[previous]) }),
      revisions: withUnready(revisions, this.#unready),
      route,
      evidence: Object.fromEntries(
        MINORS.map((minor) => {
          const { ready = 0 } = this.pods.get(revisionFor(minor)) ?? {};
          return [revisionFor(minor), this.counters.evidence(minor, this.canBeRead ? ready : 0)];
        }),
      ),
    };
  }

  /** One pass, as the controller makes it: the route, the pods of each revision, those that go, the status. */
  pass(watch: (world: World, decided: Plan) => void): void {
    const world = this.world();
    const decided = plan(world);
    watch(world, decided);
    for (const { reason } of decided.events) this.told.add(reason);
    const { fate } = this;
    this.fate = 'Lives';
    if (fate === 'DiesBeforeRoute') {
      this.restart();
      return;
    }
    const back = decided.status.candidate?.phase === 'RollingBack';
    if (back && world.status.candidate?.phase !== 'RollingBack') {
      this.#takeBack(world, decided, fate);
      return;
    }
    this.plane.write(decided);
    if (fate === 'DiesAfterRoute') {
      this.restart();
      return;
    }
    for (const [revision, asked] of Object.entries(decided.replicas)) {
      const pods = this.pods.get(revision);
      this.pods.set(revision, { ready: Math.min(asked, pods?.ready ?? 0), fatal: pods?.fatal ?? false, asked });
      if (fate === 'DiesAmongPods') {
        this.restart();
        return;
      }
    }
    for (const revision of decided.remove) this.pods.delete(revision);
    if (fate === 'DiesBeforeStatus') {
      this.restart();
      return;
    }
    if (fate !== 'StatusRefused') this.#writeStatus(world, decided);
  }

  /** A rollback begins with the status and the route, and nothing else. */
  #takeBack(world: World, decided: Plan, fate: Fate): void {
    if (fate === 'DiesBeforeStatus') {
      this.restart();
      return;
    }
    if (fate !== 'StatusRefused') this.#writeStatus(world, decided);
    if (fate !== 'Lives' && fate !== 'StatusRefused') {
      this.restart();
      return;
    }
    this.plane.write(decided);
  }

  /** Whoever keeps a book of its own beside the status: what left in disgrace, until a person forgives it. */
  #book({ status: before }: World, after: World['status']): void {
    const isIn = ({ candidate }: World['status'], phase: string): boolean =>
      candidate?.phase === phase && candidate.revision === after.candidate?.revision;
    const enters = (phase: string): boolean => isIn(after, phase) && !isIn(before, phase);
    // What is forgiven while it rolls back stays forgiven.
    if (enters('RollingBack') && after.candidate !== undefined) this.condemned.add(after.candidate.revision);
    if (before.candidate?.back === true && enters('Complete') && before.stable !== undefined) {
      this.condemned.add(before.stable.revision);
    }
    const retried = after.lastHandledRetry;
    if (retried !== undefined && retried !== before.lastHandledRetry) this.condemned.delete(retried);
  }

  #writeStatus(world: World, { status, observed }: Plan): void {
    const conditions = mergeConditions(world.status.conditions ?? [], observed, world.generation, world.now);
    const next = { ...status, conditions, observedGeneration: world.generation };
    if (JSON.stringify(next) === JSON.stringify(world.status)) return;
    this.stored.push({ ...this.latest, status: next });
    this.#book(world, next);
    this.#lastOwnWrite = this.stored.length - 1;
  }

  /** A new operator looks at the server first, and its watches are whole. */
  restart(): void {
    this.#unready = new Map();
    this.#lastOwnWrite = this.stored.length - 1;
    this.frozen = undefined;
    this.staleness = 0;
  }

  /** Requests reach the pods that the gateway sends them to. */
  elapse(seconds: number): void {
    this.now += seconds * 1000;
    this.counters.pass(Math.max(0, seconds));
    for (const minor of MINORS) {
      const revision = revisionFor(minor);
      const asked = Math.round(Math.max(0, seconds) * this.requestsPerSecond * this.plane.shareOf(revision));
      const isUp = (this.pods.get(revision)?.ready ?? 0) > 0;
      if (asked > 0 && isUp) this.counters.count(revision, asked, this.quality[minor] ?? 'Good');
      if (isUp) this.#copy(minor, Math.max(0, seconds));
    }
  }

  /** What the pods of stable copy, by the status as it stands: an order outlives the operator by three seconds. */
  #copy(minor: number, seconds: number): void {
    const { candidate, stable } = this.latest.status;
    const { secondOpinion: opinion, revision } = candidate ?? {};
    if (revision !== revisionFor(minor) || opinion === undefined || !isAsking(opinion) || stable === undefined) return;
    const live = Math.min(3, seconds) * this.requestsPerSecond * this.plane.shareOf(stable.revision);
    const copies = Math.round((live * opinion.share) / TOTAL_WEIGHT);
    if (copies > 0) this.counters.copied(revision, copies, this.quality[minor] ?? 'Good');
  }

  /** Pods that nothing keeps come up. */
  settlePods(): void {
    for (const pods of this.pods.values()) if (!pods.fatal) pods.ready = pods.asked;
  }

  /** All that a pass may change. */
  everything(): object {
    return { latest: this.latest, pods: [...this.pods], route: this.plane.written };
  }

  /** All is well, and nobody keeps anything from going on. */
  mend(): void {
    this.calm();
    this.quality = {};
    this.targets = {};
    this.requestsPerSecond = 200;
    // Clocks that were set back have caught up.
    this.now += 7_200_000;
    for (const pods of this.pods.values()) pods.fatal = false;
    this.edit(({ spec }) => {
      const { window: _open, ...rollout } = spec.rollout;
      return { asked: {}, spec: { ...spec, rollout: { ...rollout, onFail: 'RollBack' } } };
    });
  }

  /** Nothing is broken any more, and nobody asks for anything new. */
  calm(): void {
    this.restart();
    this.fate = 'Lives';
    this.endpointsLag = false;
    this.canBeRead = true;
    this.plane.mood = 'Prompt';
    this.plane.catchUp();
    this.settlePods();
  }
}
