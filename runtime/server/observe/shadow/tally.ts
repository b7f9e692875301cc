import type { ShadowEvidence } from '@slipway/crds/contract';

/** Segments counted apart; values beyond that go together, so that a free text can't fill the memory. */
export const MOST_SEGMENTS = 32;
const OTHER = 'other';
const LONGEST_SEGMENT = 128;

export type Example = NonNullable<ShadowEvidence['examples']>[number];

/** What the comparison of one order has found. */
export class Tally {
  readonly #order: string;
  readonly #maxExamples: number;
  readonly #segments = new Map<string, { compared: number; disagreed: number }>();
  readonly #examples: Example[] = [];
  #compared = 0;
  #disagreed = 0;
  #skipped = 0;
  #failed = 0;

  constructor(order: string, maxExamples: number) {
    this.#order = order;
    this.#maxExamples = maxExamples;
  }

  compared(agrees: boolean, segment: string | undefined): void {
    this.#compared++;
    if (!agrees) this.#disagreed++;
    if (segment === undefined) return;
    const counts = this.#segmentOf(segment.slice(0, LONGEST_SEGMENT));
    counts.compared++;
    if (!agrees) counts.disagreed++;
  }

  skipped(requests: number): void {
    this.#skipped += requests;
  }

  failed(rows: number): void {
    this.#failed += rows;
  }

  /** The example is made only where there is room for it. */
  example(make: () => Example): void {
    if (this.#examples.length < this.#maxExamples) this.#examples.push(make());
  }

  #segmentOf(value: string) {
    const key = this.#segments.has(value) || this.#segments.size < MOST_SEGMENTS ? value : OTHER;
    const counts = this.#segments.get(key) ?? { compared: 0, disagreed: 0 };
    this.#segments.set(key, counts);
    return counts;
  }

  get evidence(): ShadowEvidence {
    return {
      order: this.#order,
      compared: this.#compared,
      disagreed: this.#disagreed,
      skipped: this.#skipped,
      failed: this.#failed,
      ...(this.#segments.size > 0 && {
        segments: Object.fromEntries([...this.#segments].map(([k, v]) => [k, { ...v }])),
      }),
      ...(this.#examples.length > 0 && { examples: [...this.#examples] }),
    };
  }
}

/** Counts of one order that were taken one after the other. */
export function continued(before: ShadowEvidence | undefined, after: ShadowEvidence): ShadowEvidence {
  if (before?.order !== after.order) return after;
  const segments = { ...before.segments };
  for (const [name, { compared, disagreed }] of Object.entries(after.segments ?? {})) {
    const known = segments[name] ?? { compared: 0, disagreed: 0 };
    segments[name] = { compared: known.compared + compared, disagreed: known.disagreed + disagreed };
  }
  return {
    ...after,
    ...before,
    compared: before.compared + after.compared,
    disagreed: before.disagreed + after.disagreed,
    skipped: before.skipped + after.skipped,
    failed: before.failed + after.failed,
    ...(Object.keys(segments).length > 0 && { segments }),
  };
}
