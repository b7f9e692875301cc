import { type InferenceService, inferenceServices } from '../api/kinds.ts';
import type { OperatorConfig } from '../config.ts';
import { Latest } from '../controllers/latest.ts';
import { type Backoff, backoffMs } from '../kube/backoff.ts';
import { type ControllerContext, type ControllerSpec, type Grant, type Reconciler, source } from '../kube/contracts.ts';
import { again, type Outcome, settled } from '../kube/outcome.ts';
import { type Key, keyOf, keyText } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { type Marks, pendingOf, type Step } from './pending.ts';
import { type Deliver, type Delivery, postWithin } from './sink.ts';

const NAME = 'notify';
const FIELD_MANAGER = `slipway-${NAME}`;
const PATIENCE_MS = 10_000;
/** A pass has two minutes, and what it told is kept only at its end: a slow sink must not make it begin anew each time. */
const MOST_AT_ONCE = 8;
const LONGEST_WAIT_MS = 300_000;

/** What the controller reaches beside the API server. */
export interface NotifySurroundings {
  readonly deliver: Deliver;
  readonly backoff: Backoff;
}
const real: NotifySurroundings = {
  deliver: postWithin(PATIENCE_MS),
  backoff: { baseMs: 1000, maxMs: LONGEST_WAIT_MS },
};

interface Waiting {
  readonly failures: number;
  readonly until: number;
  readonly why: string;
}

/** What a pass told: how far it came, and what stopped it. */
interface Told {
  readonly marks: Marks;
  readonly later?: Extract<Delivery, { kind: 'Later' }>;
  readonly more: boolean;
}

class NotifyReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #latest: Latest<InferenceService>;
  readonly #defaultSink: string | undefined;
  readonly #around: NotifySurroundings;
  readonly #waiting = new Map<string, Waiting>();

  constructor(context: ControllerContext, defaultSink: string | undefined, around: NotifySurroundings) {
    this.#context = context;
    this.#latest = new Latest(context.client, inferenceServices);
    this.#defaultSink = defaultSink;
    this.#around = around;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(inferenceServices).get(key);
    const sink = cached?.spec.notify?.sink ?? this.#defaultSink;
    const gone = cached === undefined || cached.metadata.deletionTimestamp !== undefined;
    if (gone || sink === undefined) return this.#forget(key);
    const waits = this.#waiting.get(keyText(key));
    const remainsMs = (waits?.until ?? 0) - this.#context.now().getTime();
    if (waits !== undefined && remainsMs > 0) return again(remainsMs, waits.why);
    const infs = await this.#latest.of(cached, signal);
    return infs === undefined ? settled : this.#tellPending(infs, sink, signal);
  }

  async #tellPending(infs: Stored<InferenceService>, sink: string, signal: AbortSignal): Promise<Outcome> {
    const { start, steps, lost } = pendingOf(infs, this.#context.now());
    // Which decisions are news is asked once: a sink that is down for long must not make them old.
    const marked = start === undefined ? infs : await this.#mark(infs, start, signal);
    if (lost) this.#warn(infs, 'NotificationsLost', 'Decisions left the history before the sink took them.');
    if (steps.length === 0) return settled;
    const told = await this.#tell(marked, sink, steps, signal);
    if (Object.keys(told.marks).length > 0) await this.#mark(marked, told.marks, signal);
    if (told.later !== undefined) return this.#wait(infs, sink, told.later);
    this.#waiting.delete(keyText(keyOf(infs)));
    return told.more ? again(0, 'more is to be told') : settled;
  }

  /** In order: what the sink does not take now keeps everything after it waiting. */
  async #tell(infs: InferenceService, sink: string, steps: readonly Step[], signal: AbortSignal): Promise<Told> {
    let marks: Marks = {};
    let posts = 0;
    for (const { event, after } of steps) {
      if (event !== undefined) {
        if (posts === MOST_AT_ONCE) return { marks, more: true };
        posts += 1;
        const delivery = await this.#around.deliver(sink, event, signal);
        if (delivery.kind === 'Later') return { marks, later: delivery, more: true };
        if (delivery.kind === 'Refused') {
          const what = `${event.type} ${event.id}`;
          this.#warn(
            infs,
            'NotificationRefused',
            `${originOf(sink)} refused ${what}, which is given up: ${delivery.why}.`,
          );
        }
      }
      marks = { ...marks, ...after };
    }
    return { marks, more: false };
  }

  #wait(infs: InferenceService, sink: string, { why, afterMs }: Extract<Delivery, { kind: 'Later' }>): Outcome {
    const { now, random } = this.#context;
    const key = keyText(keyOf(infs));
    const failures = (this.#waiting.get(key)?.failures ?? 0) + 1;
    const waitMs = Math.min(
      Math.max(afterMs ?? 0, backoffMs(failures, this.#around.backoff, random())),
      LONGEST_WAIT_MS,
    );
    const sentence = `${originOf(sink)} takes no notification (${why}): it is tried again, and nothing is lost.`;
    this.#waiting.set(key, { failures, until: now().getTime() + waitMs, why: sentence });
    this.#warn(infs, 'NotificationDelayed', sentence);
    return again(waitMs, sentence);
  }

  /** Nothing but the marks is this controller's: the rest of the status belongs to who decides. */
  async #mark(infs: Stored<InferenceService>, marks: Marks, signal: AbortSignal): Promise<Stored<InferenceService>> {
    const { apiVersion, kind, metadata, status } = infs;
    const { name, namespace = '', uid } = metadata;
    const { notified = status?.notified, notifiedDrift = status?.notifiedDrift } = marks;
    const own = { ...(notified && { notified }), ...(notifiedDrift && { notifiedDrift }) };
    const patch = { apiVersion, kind, metadata: { name, namespace, uid }, status: own } as unknown as InferenceService;
    const { client } = this.#context;
    const written = await client.applyStatus(inferenceServices, patch, { fieldManager: FIELD_MANAGER, signal });
    this.#latest.remember(written);
    return written;
  }

  #warn(infs: InferenceService, reason: string, message: string): void {
    this.#context.events.emit(infs, { type: 'Warning', reason, action: 'Notify', message });
  }

  #forget(key: Key): Outcome {
    this.#latest.forget(key);
    this.#waiting.delete(keyText(key));
    return settled;
  }
}

/** An address may hold a secret in its path or query. */
const originOf = (sink: string): string => new URL(sink).origin;

const GRANTS: readonly Grant[] = [
  { resource: inferenceServices, verbs: ['get', 'list', 'watch'] },
  { resource: inferenceServices, verbs: ['patch'], subresource: 'status' },
];

/** Tells a sink of decisions, as CloudEvents, at least once and in order, over restarts of the operator and of the sink. */
export function notifyController(
  { cloudeventsSink }: Pick<OperatorConfig, 'cloudeventsSink'>,
  around: NotifySurroundings = real,
): ControllerSpec {
  return {
    name: NAME,
    grants: GRANTS,
    sources: [source({ resource: inferenceServices, toKeys: (infs) => [keyOf(infs)] })],
    build: (context) => new NotifyReconciler(context, cloudeventsSink, around),
  };
}
