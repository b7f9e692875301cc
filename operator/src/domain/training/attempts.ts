import type { TrainingJobStatus } from '@slipway/crds';
import { type Cause, causeText } from './cause.ts';

export type Attempt = NonNullable<TrainingJobStatus['attempts']>[number];
export type ExcludedNode = NonNullable<TrainingJobStatus['excludedNodes']>[number];

const MOST_ATTEMPTS = 16;
const MOST_NODES = 32;
const LONGEST_MESSAGE = 512;

/** Waits between attempts: as long as kubelet's between restarts of a container. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;
/** An attempt that ran longer than this did some work: what ended it is not what ended the one before. */
const LONG_RUN_MS = 600_000;

export interface Ended {
  readonly attempt: number;
  readonly startedAt: string | undefined;
  readonly endedAt: string;
  readonly cause: Cause;
}

/** The history with one more attempt. It is bounded: the newest are kept. */
export function withAttempt(history: readonly Attempt[], { attempt, startedAt, endedAt, cause }: Ended): Attempt[] {
  const { class: kind, pod, node, exitCode } = cause;
  const entry: Attempt = {
    attempt,
    ...(startedAt === undefined ? {} : { startedAt }),
    endedAt,
    class: kind,
    message: causeText(cause, LONGEST_MESSAGE),
    ...(pod === undefined ? {} : { pod }),
    ...(node === undefined ? {} : { node }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
  return [...history, entry].slice(-MOST_ATTEMPTS);
}

const ranLong = ({ startedAt, endedAt }: Attempt): boolean =>
  startedAt !== undefined && Date.parse(endedAt) - Date.parse(startedAt) > LONG_RUN_MS;

/** How long the next attempt waits: 10 s after the first short one in a row, doubled by each after it, at most 5 min. */
export function waitAfter(history: readonly Attempt[]): number {
  const inARow = history.length - 1 - history.findLastIndex(ranLong);
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, inARow - 1));
}

/** The nodes that are still left out at `now`. */
export const stillExcluded = (nodes: readonly ExcludedNode[], now: Date): ExcludedNode[] =>
  nodes.filter(({ until }) => Date.parse(until) > now.getTime());

/** The nodes left out with one more, which replaces an older entry of its name. */
export const withExcluded = (nodes: readonly ExcludedNode[], node: ExcludedNode): ExcludedNode[] =>
  [...nodes.filter(({ name }) => name !== node.name), node].slice(-MOST_NODES);
