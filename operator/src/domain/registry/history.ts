import { rfc3339 } from '../../kube/conditions.ts';
import { lengthened } from '../chain.ts';
import type { StageEntry } from './facts.ts';

const LONGEST_HISTORY = 32;
const LONGEST_MESSAGE = 512;
const LONGEST_NAMES = 256;

/** What is to be kept of a change; a Move is one. */
export interface Told {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly by?: string;
  readonly message: string;
}

/** The stages so far and the next, chained by hash and bounded. */
export const historyWith = (history: readonly StageEntry[], { message, by, ...move }: Told, now: Date): StageEntry[] =>
  lengthened<StageEntry>(
    history,
    {
      ...move,
      at: rfc3339(now),
      message: message.slice(0, LONGEST_MESSAGE),
      ...(by === undefined ? {} : { by: by.slice(0, LONGEST_NAMES) }),
    },
    LONGEST_HISTORY,
  );
