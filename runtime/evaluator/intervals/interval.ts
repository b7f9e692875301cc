/** Bounds of a value, both included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A value with its interval; the value lies inside. */
export interface Estimate extends Interval {
  readonly value: number;
}
