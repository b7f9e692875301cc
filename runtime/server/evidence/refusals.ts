/** Why a request was refused before it was read whole. */
export const REFUSALS = [
  'unauthorized',
  'rateLimited',
  'tooLarge',
  'tooSlow',
  'malformed',
  'unknownModel',
  'notReady',
] as const;
export type Refusal = (typeof REFUSALS)[number];
export type RefusalCounts = Readonly<Record<Refusal, number>>;

/**
 * Counts the refusals of a process. Not beside the counts of the models but across them: a refusal over REST whose path
 * names a model here is in that model's clientError (or shed) too, for its callers had it from there.
 */
export class Refusals {
  readonly #counts = new Map<Refusal, number>(REFUSALS.map((reason) => [reason, 0]));

  count(reason: Refusal): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  read(): RefusalCounts {
    return Object.fromEntries(this.#counts) as Record<Refusal, number>;
  }
}
