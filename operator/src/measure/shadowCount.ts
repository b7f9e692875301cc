import type { ShadowEvidence } from '@slipway/crds/contract';
import type { ShadowTally } from '../domain/rollout/world.ts';
import { PassBatches } from './passBatches.ts';

const KEY = 'differing';
/** The runtime counts 32 segments apart and puts the rest together, so pods of one service name few more than that. */
const MOST_SEGMENTS = 64;
const OTHER = 'other';
const MOST_EXAMPLES = 5;
const LONGEST_TEXT = 200;

type Example = ShadowTally['examples'][number];
interface Compared {
  readonly compared: number;
  readonly disagreed: number;
}
interface Counted extends Compared {
  readonly skipped: number;
  readonly failed: number;
  readonly segments: ReadonlyMap<string, Compared>;
}
const NOTHING: Counted = { compared: 0, disagreed: 0, skipped: 0, failed: 0, segments: new Map() };

const countedOf = ({ compared, disagreed, skipped, failed, segments = {} }: ShadowEvidence): Counted => ({
  compared,
  disagreed,
  skipped,
  failed,
  segments: new Map(Object.entries(segments).slice(0, MOST_SEGMENTS)),
});

/** A copy without an answer counts as one that differs. */
const answersOf = ({ compared, failed }: Counted): number => compared + failed;
const differing = ({ disagreed, failed }: Counted): number => disagreed + failed;
const grown = (before: number, now: number): number => Math.max(0, now - before);

function addSegments(a: Counted['segments'], b: Counted['segments']): Counted['segments'] {
  const sums = new Map(a);
  for (const [name, { compared, disagreed }] of b) {
    const key = sums.has(name) || sums.size < MOST_SEGMENTS ? name : OTHER;
    const sum = sums.get(key) ?? NOTHING;
    sums.set(key, { compared: sum.compared + compared, disagreed: sum.disagreed + disagreed });
  }
  return sums;
}

const add = (a: Counted, b: Counted): Counted => ({
  compared: a.compared + b.compared,
  disagreed: a.disagreed + b.disagreed,
  skipped: a.skipped + b.skipped,
  failed: a.failed + b.failed,
  segments: addSegments(a.segments, b.segments),
});

/**
 * What the pods of the stable version found under one shadow order, added up over processes that are there and that are
 * gone. The counts of a process begin at zero with the order, so nothing is taken from what it first reports.
 */
export class ShadowCount {
  readonly order: string;
  readonly #latest = new Map<string, { readonly epoch: string; readonly counted: Counted }>();
  readonly #batches = new PassBatches();
  readonly #examples = new Map<string, Example>();
  #closed = NOTHING;

  constructor(order: string) {
    this.order = order;
  }

  record(pod: string, epoch: string, shadow: ShadowEvidence): void {
    if (shadow.order !== this.order) return;
    const known = this.#latest.get(pod);
    if (known !== undefined && known.epoch !== epoch) this.#close(pod);
    const before = known?.epoch === epoch ? known.counted : NOTHING;
    const counted = countedOf(shadow);
    this.#latest.set(pod, { epoch, counted });
    const total = grown(answersOf(before), answersOf(counted));
    const hits = Math.min(total, grown(differing(before), differing(counted)));
    this.#batches.add(new Map([[KEY, { hits, total }]]));
    for (const example of shadow.examples ?? []) this.#keep(example);
  }

  /** Closes the accounts of pods that are gone. */
  keepPods(present: ReadonlySet<string>): void {
    for (const pod of this.#latest.keys()) if (!present.has(pod)) this.#close(pod);
  }

  closePass(at: Date): void {
    this.#batches.close(at);
  }

  tally(): ShadowTally {
    const { segments, ...sums } = [...this.#latest.values()].map(({ counted }) => counted).reduce(add, this.#closed);
    return {
      ...sums,
      batches: this.#batches.get(KEY),
      segments: Object.fromEntries(segments),
      examples: [...this.#examples.values()],
    };
  }

  #close(pod: string): void {
    this.#closed = add(this.#closed, this.#latest.get(pod)?.counted ?? NOTHING);
    this.#latest.delete(pod);
  }

  /** The first few, whichever pods tell them, and no more of a text than a status has room for. */
  #keep({ id, output, live, candidate }: Example & { readonly id: string }): void {
    const key = id.slice(0, LONGEST_TEXT);
    if (this.#examples.size >= MOST_EXAMPLES || this.#examples.has(key)) return;
    const short = (text: string): string => text.slice(0, LONGEST_TEXT);
    this.#examples.set(key, { output: short(output), live: short(live), candidate: short(candidate) });
  }
}
