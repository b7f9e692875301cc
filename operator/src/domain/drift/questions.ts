import type { Baseline, DriftSpec, Summarised } from '@slipway/crds';
import { parsePercent } from '../guards/percent.ts';

export const DISTANCES = ['psi', 'js', 'ks'] as const;
export type Distance = (typeof DISTANCES)[number];
/** Rates of a feature or prediction. */
export const FAULTS = ['missing', 'outOfRange', 'unseen'] as const;
export type Fault = (typeof FAULTS)[number];
export type Measure = Distance | Fault | 'outliers' | 'accuracy' | 'calibration';

/** One limit held against one thing. `limit` is as the spec has it, `bound` as a number. */
interface Limit {
  readonly limit: string;
  readonly bound: number;
}
interface Named extends Limit {
  readonly name: string;
}
interface OfValues extends Named {
  readonly of: Summarised;
  /** Its place in the baseline, and so in counts that are in the order of the baseline. */
  readonly at: number;
  readonly side: Side;
}
export interface DistanceQuestion extends OfValues {
  readonly measure: Distance;
}
export interface FaultQuestion extends OfValues {
  readonly measure: Fault;
}
export type Question =
  | DistanceQuestion
  | FaultQuestion
  | (Named & { readonly measure: 'outliers' })
  | (Named & { readonly measure: 'accuracy' })
  | (Named & { readonly measure: 'calibration' });
export type Side = 'features' | 'predictions';

/** Names under which what belongs to no feature is told. */
const ROWS = 'rows';
const LABELS = 'labels';

const effectLimit = (limit: string): Limit => ({ limit, bound: Number(limit) });
const shareLimit = (limit: string): Limit => ({ limit, bound: parsePercent(limit) });

/** Categories have no order, and a Kolmogorov-Smirnov distance over them would change with how they are listed. */
const fits = (measure: Measure, { kind }: Summarised): boolean => {
  if (measure === 'ks' || measure === 'outOfRange') return kind === 'numeric';
  return measure !== 'unseen' || kind === 'categorical';
};

function questionsOf(spec: DriftSpec, side: Side, of: Summarised, at: number): readonly Question[] {
  const { name } = of;
  const own = spec.features?.[name];
  const distances = DISTANCES.flatMap((measure): Question[] => {
    const limit = own?.[measure] ?? spec[measure];
    return limit === undefined || !fits(measure, of) ? [] : [{ name, measure, of, at, side, ...effectLimit(limit) }];
  });
  const faults = FAULTS.flatMap((measure): Question[] => {
    const limit = spec[measure];
    return limit === undefined || !fits(measure, of) ? [] : [{ name, measure, of, at, side, ...shareLimit(limit) }];
  });
  return [...distances, ...faults];
}

/** Everything that a look asks, of a version with this baseline. */
export function questions(spec: DriftSpec, baseline: Baseline): readonly Question[] {
  const ignored = new Set(spec.ignore);
  const watched = (['features', 'predictions'] as const).flatMap((side) =>
    baseline[side].flatMap((of, at) => (ignored.has(of.name) ? [] : questionsOf(spec, side, of, at))),
  );
  const { outliers, accuracy, calibration } = spec;
  return [
    ...watched,
    ...(outliers === undefined ? [] : [{ name: ROWS, measure: 'outliers' as const, ...shareLimit(outliers) }]),
    ...(accuracy === undefined ? [] : [{ name: LABELS, measure: 'accuracy' as const, ...shareLimit(accuracy.min) }]),
    ...(calibration === undefined
      ? []
      : [{ name: LABELS, measure: 'calibration' as const, ...shareLimit(calibration.max) }]),
  ];
}

const quoted = (names: readonly string[]): string => names.join(', ');

/** What the spec asks for and this model can't give, a sentence each: a limit that nothing is held against is a trap. */
export function idle(spec: DriftSpec, { features, predictions }: Baseline): readonly string[] {
  const known = new Map([...features, ...predictions].map((of) => [of.name, of]));
  const asked = [...new Set([...Object.keys(spec.features ?? {}), ...(spec.ignore ?? [])])];
  const strangers = asked.filter((name) => !known.has(name));
  const unordered = Object.entries(spec.features ?? {})
    .filter(([name, { ks }]) => ks !== undefined && known.get(name)?.kind === 'categorical')
    .map(([name]) => name);
  const numeric = features.some((of) => of.kind === 'numeric' && of.m2 > 0);
  return [
    ...(strangers.length === 0 ? [] : [`The baseline has no ${quoted(strangers)}: it has ${some([...known.keys()])}.`]),
    ...(unordered.length === 0 ? [] : [`${quoted(unordered)} has categories, which have no ks: give it psi or js.`]),
    ...(spec.outliers === undefined || numeric ? [] : ['outliers needs a numeric feature, and the baseline has none.']),
  ];
}

const SHOWN = 8;
const some = (names: readonly string[]): string =>
  names.length <= SHOWN ? quoted(names) || 'none' : `${quoted(names.slice(0, SHOWN))} and ${names.length - SHOWN} more`;
