import type { CloudEvent } from './cloudEvent.ts';

/** Mark of an object whose sink has taken nothing yet. */
export const NONE = 'none';
/** What a sink is told of that is new to an object: decisions of the last hour, no archive. */
const NEWS_MS = 3_600_000;

/** Fields of a status that say what was told. */
export interface Marks {
  readonly notified?: string | undefined;
  readonly notifiedDrift?: string | undefined;
  readonly notifiedApproval?: string | undefined;
}

/** One thing to tell, and what the status says once it was. Without an event: nothing to tell, and yet to be passed. */
export interface Step {
  readonly event?: CloudEvent;
  readonly after: Marks;
}

/** A decision that names the one before it. */
export interface Entry {
  readonly at: string;
  readonly hash: string;
  readonly previousHash: string;
}

/** What there is to tell of an object, whatever its kind. */
export interface Account<E extends Entry = Entry> {
  readonly history: readonly E[];
  readonly notified: string | undefined;
  /** undefined: a decision that is not told. */
  readonly eventOf: (entry: E) => CloudEvent | undefined;
  /** What lasts, until it was told. */
  readonly lasting: Step | undefined;
}

export interface Pending {
  readonly steps: readonly Step[];
  /** Where nothing was marked yet: what is to be written before anything is told. */
  readonly start?: Marks;
  /** Decisions fell out of the history before the sink took them. */
  readonly lost: boolean;
}

/**
 * What the sink is owed, in the order in which it happened. Nothing of a history whose entries an earlier release left
 * without a hash, which names the event: the rollout gives them one at its next look.
 */
export function pendingIn<E extends Entry>({ history, notified, eventOf, lasting }: Account<E>, now: Date): Pending {
  if (history.some(({ hash }) => hash === undefined)) return { steps: [], lost: false };
  const from = notified === undefined ? firstNews(history, now) : next(history, notified);
  const mark = (hash: string | undefined) => (hash === undefined || hash === '' ? NONE : hash);
  const steps = history.slice(from).map((entry): Step => {
    const event = eventOf(entry);
    const after = { notified: entry.hash };
    return event === undefined ? { after } : { event, after };
  });
  const first = history[from]?.previousHash ?? history.at(-1)?.hash;
  return {
    steps: lasting === undefined ? steps : [...steps, lasting],
    ...(notified === undefined ? { start: { notified: mark(first) } } : {}),
    lost: notified !== undefined && steps.length > 0 && mark(first) !== notified,
  };
}

const firstNews = (history: readonly Entry[], now: Date): number => {
  const index = history.findIndex(({ at }) => now.getTime() - Date.parse(at) < NEWS_MS);
  return index === -1 ? history.length : index;
};

/** 0 where the entry is no longer kept: everything that is kept came after it. */
const next = (history: readonly Entry[], notified: string): number =>
  history.findIndex(({ hash }) => hash === notified) + 1;
