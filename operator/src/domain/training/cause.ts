import type { FailureClass } from '@slipway/crds';
import { oneLine } from '../workload/oneLine.ts';

/** Why an attempt ended. */
export interface Cause {
  readonly class: FailureClass;
  /** Reason of conditions and Events: the class, or what a container of ours named itself. */
  readonly reason: string;
  /** One sentence: what happened, and to which pod. */
  readonly sentence: string;
  /** Last words of the pod; may be empty. */
  readonly words: string;
  readonly pod?: string | undefined;
  readonly node?: string | undefined;
  readonly exitCode?: number | undefined;
  /** The node would fail the next attempt as well. */
  readonly nodeToBlame: boolean;
  /** What a person must do first: set where another attempt would end the same way. */
  readonly remedy?: string | undefined;
}

/** The sentence and as many of the last words as fit. The end of them is kept: it tells the cause. */
export function causeText({ sentence, words }: Cause, longest = 1200): string {
  if (words === '') return sentence.slice(0, longest);
  const start = `${sentence.replace(/\.$/, '')}: `;
  const room = longest - start.length;
  return room <= 0 ? sentence.slice(0, longest) : `${start}${oneLine(words, room)}`;
}
