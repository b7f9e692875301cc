import { LRUCache } from 'lru-cache';
import type { TensorValue } from '../tensor.ts';
import type { Outcome } from './scheduler.ts';

/** What an entry costs beside its elements: key, objects, shapes. */
const ENTRY_BYTES = 512;

export interface CacheSettings {
  readonly maxBytes: number;
  readonly ttlMs: number;
}

/** Answers by the key of their request, least recently used forgotten first. Errors are never kept. */
export class AnswerCache {
  readonly #answers: LRUCache<string, Outcome>;

  constructor({ maxBytes, ttlMs }: CacheSettings, now: () => number) {
    this.#answers = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: sizeOfAnswer,
      ttl: ttlMs,
      ttlResolution: 0,
      perf: { now },
    });
  }

  get(key: string): Outcome | undefined {
    return this.#answers.get(key);
  }

  /** Copies what it keeps: the answers of a run may lie in one memory, and one row would keep the batch. */
  keep(key: string, { outputs, batchRows }: Outcome): void {
    const copies = outputs.map((output) => ({ ...output, elements: output.elements.slice() }));
    this.#answers.set(key, { outputs: copies, batchRows, queueMs: 0, computeMs: 0, cached: true, run: undefined });
  }
}

const sizeOfAnswer = ({ outputs }: Outcome): number =>
  outputs.reduce((sum, { elements }) => sum + bytesOf(elements), ENTRY_BYTES);

const bytesOf = (elements: TensorValue['elements']): number =>
  Array.isArray(elements) ? elements.reduce((sum, text) => sum + 2 * text.length + 16, 0) : elements.byteLength;
