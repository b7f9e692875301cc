import { CALIBRATION_BINS } from '@slipway/crds/contract';

/** Whether the model is too sure (1) or not sure enough (-1), bin by bin. */
export interface Pattern {
  readonly signs: readonly (1 | -1)[];
  /** Of the risk of a false alarm; the shares of all patterns add up to 1. */
  readonly share: number;
}

const turningAt = (turn: number, above: 1 | -1): Pattern['signs'] =>
  Array.from({ length: CALIBRATION_BINS }, (_, bin) => (bin >= turn ? above : (-above as 1 | -1)));

const TURNS = Array.from({ length: CALIBRATION_BINS }, (_, bin) => bin);
/** Half of the risk is for the two ways in which models are off most often: all too sure, and nowhere sure enough. */
const shareOf = (turn: number): number => (turn === 0 ? 1 / 4 : 1 / 2 / (2 * (CALIBRATION_BINS - 1)));

/**
 * The ways to be off that are tested: one sign everywhere, or one sign below some probability and the other above it, as a
 * softmax of the wrong temperature is. One that turns twice is found too, by that part of it which one of these has.
 */
export const PATTERNS: readonly Pattern[] = TURNS.flatMap((turn) =>
  ([1, -1] as const).map((above) => ({ signs: turningAt(turn, above), share: shareOf(turn) })),
);
