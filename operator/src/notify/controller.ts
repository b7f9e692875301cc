import { inferenceServices, modelVersions } from '../api/kinds.ts';
import type { OperatorConfig } from '../config.ts';
import { Latest } from '../controllers/latest.ts';
import { type Backoff, backoffMs } from '../kube/backoff.ts';
import { type ControllerContext, type ControllerSpec, type Grant, type Reconciler, source } from '../kube/contracts.ts';
import { again, type Outcome, settled } from '../kube/outcome.ts';
import { type Key, keyOf, keyText, type Resource } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';
import { type Marks, type Pending, pendingIn, type Step } from './pending.ts';
import { pendingOf } from './services.ts';
import { type Deliver, type Delivery, postWithin } from './sink.ts';
import { accountOfVersion } from './versions.ts';

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

interface Marked extends KubeObject {
  status?: Marks;
}

/** A kind of which a sink is told. */
interface Subject<T extends Marked> {
  /** Of the controller. */
  readonly name: string;
  readonly resource: Resource<T>;
  /** undefined: nobody is told. */
  readonly sinkOf: (object: T) => string | undefined;
  readonly pendingOf: (object: T, now: Date) => Pending;
}

class NotifyReconciler<T extends Marked> implements Reconciler {
  readonly #context: ControllerContext;
  readonly #latest: Latest<T>;
  readonly #subject: Subject<T>;
  readonly #around: NotifySurroundings;
  readonly #waiting = new Map<string, Waiting>();

  constructor(context: ControllerContext, subject: Subject<T>, around: NotifySurroundings) {
    this.#context = context;
    this.#latest = new Latest(context.client, subject.resource);
    this.#subject = subject;
    this.#around = around;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const { resource, sinkOf } = this.#subject;
    const cached = this.#context.store(resource).get(key);
    const sink = cached && sinkOf(cached);
    const gone = cached === undefined || cached.metadata.deletionTimestamp !== undefined;
    if (gone || sink === undefined) return this.#forget(key);
    const waits = this.#waiting.get(keyText(key));
    const remainsMs = (waits?.until ?? 0) - this.#context.now().getTime();
    if (waits !== undefined && remainsMs > 0) return again(remainsMs, waits.why);
    const object = await this.#latest.of(cached, signal);
    return object === undefined ? settled : this.#tellPending(object, sink, signal);
  }

  async #tellPending(object: Stored<T>, sink: string, signal: AbortSignal): Promise<Outcome> {
    const { start, steps, lost } = this.#subject.pendingOf(object, this.#context.now());
    // Which decisions are news is asked once: a sink that is down for long must not make them old.
    const marked = start === undefined ? object : await this.#mark(object, start, signal);
    if (lost) this.#warn(object, 'NotificationsLost', 'Decisions left the history before the sink took them.');
    if (steps.length === 0) return settled;
    const told = await this.#tell(marked, sink, steps, signal);
    if (Object.keys(told.marks).length > 0) await this.#mark(marked, told.marks, signal);
    if (told.later !== undefined) return this.#wait(object, sink, told.later);
    this.#waiting.delete(keyText(keyOf(object)));
    return told.more ? again(0, 'more is to be told') : settled;
  }

  /** In order: what the sink does not take now keeps everything after it waiting. */
  async #tell(object: KubeObject, sink: string, steps: readonly Step[], signal: AbortSignal): Promise<Told> {
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
            object,
            'NotificationRefused',
            `${originOf(sink)} refused ${what}, which is given up: ${delivery.why}.`,
          );
        }
      }
      marks = { ...marks, ...after };
    }
    return { marks, more: false };
  }

  #wait(object: KubeObject, sink: string, { why, afterMs }: Extract<Delivery, { kind: 'Later' }>): Outcome {
    const { now, random } = this.#context;
    const key = keyText(keyOf(object));
    const failures = (this.#waiting.get(key)?.failures ?? 0) + 1;
    const waitMs = Math.min(
      Math.max(afterMs ?? 0, backoffMs(failures, this.#around.backoff, random())),
      LONGEST_WAIT_MS,
    );
    const sentence = `${originOf(sink)} takes no notification (${why}): it is tried again, and nothing is lost.`;
    this.#waiting.set(key, { failures, until: now().getTime() + waitMs, why: sentence });
    this.#warn(object, 'NotificationDelayed', sentence);
    return again(waitMs, sentence);
  }

  /** Nothing but the marks is this controller's: the rest of the status belongs to who decides. */
  async #mark(object: Stored<T>, marks: Marks, signal: AbortSignal): Promise<Stored<T>> {
    const { apiVersion, kind, metadata, status } = object;
    const { name, namespace = '', uid } = metadata;
    const { notified, notifiedDrift, notifiedApproval } = { ...status, ...marks };
    const own = {
      ...(notified && { notified }),
      ...(notifiedDrift && { notifiedDrift }),
      ...(notifiedApproval && { notifiedApproval }),
    };
    const patch = { apiVersion, kind, metadata: { name, namespace, uid }, status: own } as unknown as T;
    const { client } = this.#context;
    const { resource, name: controller } = this.#subject;
    const written = await client.applyStatus(resource, patch, { fieldManager: `slipway-${controller}`, signal });
    this.#latest.remember(written);
    return written;
  }

  #warn(object: KubeObject, reason: string, message: string): void {
    this.#context.events.emit(object, { type: 'Warning', reason, action: 'Notify', message });
  }

  #forget(key: Key): Outcome {
    this.#latest.forget(key);
    this.#waiting.delete(keyText(key));
    return settled;
  }
}

/** An address may hold a secret in its path or query. */
const originOf = (sink: string): string => new URL(sink).origin;

const telling = <T extends Marked>(subject: Subject<T>, around: NotifySurroundings): ControllerSpec => {
  const { name, resource } = subject;
  const grants: readonly Grant[] = [
    { resource, verbs: ['get', 'list', 'watch'] },
    { resource, verbs: ['patch'], subresource: 'status' },
  ];
  return {
    name,
    grants,
    sources: [source({ resource, toKeys: (object) => [keyOf(object)] })],
    build: (context) => new NotifyReconciler(context, subject, around),
  };
};

type Sink = Pick<OperatorConfig, 'cloudeventsSink'>;

/** Tells a sink of decisions, as CloudEvents, at least once and in order, over restarts of the operator and of the sink. */
export const notifyController = ({ cloudeventsSink }: Sink, around: NotifySurroundings = real): ControllerSpec =>
  telling(
    {
      name: 'notify',
      resource: inferenceServices,
      sinkOf: ({ spec }) => spec.notify?.sink ?? cloudeventsSink,
      pendingOf,
    },
    around,
  );

/** Tells the operator's own sink of the stages of versions: they outlive every service that could name another. */
export const notifyVersionsController = (
  { cloudeventsSink }: Sink,
  around: NotifySurroundings = real,
): ControllerSpec =>
  telling(
    {
      name: 'notify-versions',
      resource: modelVersions,
      sinkOf: () => cloudeventsSink,
      pendingOf: (version, now) => pendingIn(accountOfVersion(version), now),
    },
    around,
  );
