import type { Guard } from '@slipway/crds';
import { parseDuration } from '../../domain/duration.ts';
import { canonicalJson } from '../../domain/revision.ts';
import type { ExternalFinding } from '../../domain/rollout/world.ts';
import { type Key, keyText } from '../../kube/resource.ts';
import { hasPassed } from '../hasPassed.ts';
import type { InstantQuery } from '../prometheus/instantQuery.ts';
import { type Looks, lookAtRates, lookAtValue, NO_LOOKS, type PrometheusGuard } from './look.ts';
import { oneNumber } from './oneNumber.ts';
import { fillIn, type QueryVariables, windowText } from './template.ts';

export interface FindingsQuestion {
  readonly service: Key;
  /** Names rollout and step: findings of any other are no evidence for this one. */
  readonly step: string;
  /** When the step began: what $window begins with. A question about the same step never moves it. */
  readonly since: Date;
  readonly guards: readonly Guard[];
  readonly variables: Omit<QueryVariables, 'window'>;
}

export interface PrometheusFindingsOptions {
  readonly query: InstantQuery;
  /** Prometheus of guards that name none. */
  readonly defaultServer: string | undefined;
  readonly now: () => Date;
  /** A finding that is new: the service may want another pass. */
  readonly changed: (service: Key) => void;
}

interface Watched {
  readonly guard: string;
  looks: Looks;
  finding: ExternalFinding | undefined;
  askedAt: number;
  asking: boolean;
}
interface WatchedStep {
  readonly step: string;
  readonly since: Date;
  readonly guards: Map<string, Watched>;
  readonly over: AbortController;
}

const NO_SERVER: ExternalFinding = {
  kind: 'Invalid',
  message: 'no Prometheus is known: name it in prometheus.server, or in SLIPWAY_PROMETHEUS_URL of the operator',
};

/**
 * What the queries of guards give, each asked once in its interval while a step lasts. Asking goes on beside the passes:
 * a Prometheus that hangs delays no verdict of another guard. What was counted belongs to one step of one rollout and
 * one wording of the guard, and is kept in memory: after a restart of the operator looks in a row begin anew.
 */
export class PrometheusFindings {
  readonly #options: PrometheusFindingsOptions;
  readonly #steps = new Map<string, WatchedStep>();

  constructor(options: PrometheusFindingsOptions) {
    this.#options = options;
  }

  /** The newest finding of each guard, by name; a guard whose first answer is still to come has none. Never waits. */
  read(question: FindingsQuestion): Readonly<Record<string, ExternalFinding>> {
    const watched = this.#stepOf(question);
    const found = question.guards.flatMap(({ name, prometheus }): [string, ExternalFinding][] => {
      if (prometheus === undefined) return [];
      const server = prometheus.server ?? this.#options.defaultServer;
      if (server === undefined) return [[name, NO_SERVER]];
      const own = this.#watched(watched, name, prometheus);
      if (this.#isDue(own, prometheus)) void this.#ask(question, watched, own, prometheus, server);
      return own.finding === undefined ? [] : [[name, own.finding]];
    });
    return Object.fromEntries(found);
  }

  /** Ends what is asked for a service and drops what is known. */
  forget(service: Key): void {
    this.#steps.get(keyText(service))?.over.abort();
    this.#steps.delete(keyText(service));
  }

  #stepOf({ service, step, since }: FindingsQuestion): WatchedStep {
    const known = this.#steps.get(keyText(service));
    if (known?.step === step) return known;
    known?.over.abort();
    const fresh = { step, since, guards: new Map(), over: new AbortController() };
    this.#steps.set(keyText(service), fresh);
    return fresh;
  }

  #watched({ guards }: WatchedStep, name: string, prometheus: PrometheusGuard): Watched {
    const guard = canonicalJson(prometheus);
    const known = guards.get(name);
    if (known?.guard === guard) return known;
    const fresh = { guard, looks: NO_LOOKS, finding: undefined, askedAt: Number.NEGATIVE_INFINITY, asking: false };
    guards.set(name, fresh);
    return fresh;
  }

  #isDue({ asking, askedAt }: Watched, { interval }: PrometheusGuard): boolean {
    return !asking && hasPassed(this.#options.now().getTime() - askedAt, parseDuration(interval));
  }

  async #ask(
    { service, variables }: FindingsQuestion,
    { over, since }: WatchedStep,
    own: Watched,
    guard: PrometheusGuard,
    server: string,
  ): Promise<void> {
    own.asking = true;
    own.askedAt = this.#options.now().getTime();
    const filled = { ...variables, window: windowText(own.askedAt - since.getTime()) };
    const one = async (what: 'bad' | 'total' | 'value', query: string) =>
      oneNumber(what, await this.#options.query(server, fillIn(query, filled), over.signal));
    const { bad = '', total = '', value } = guard;
    const { looks, finding } =
      value === undefined
        ? lookAtRates(own.looks, ...(await Promise.all([one('bad', bad), one('total', total)])))
        : lookAtValue(own.looks, guard, await one('value', value));
    own.asking = false;
    if (over.signal.aborted) return;
    own.looks = looks;
    own.finding = finding;
    this.#options.changed(service);
  }
}
