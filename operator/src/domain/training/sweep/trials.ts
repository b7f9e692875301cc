import type { TrainingJobSpec } from '@slipway/crds';
import { mulberry32 } from '../../analysis/simulation.ts';
import { decimalText } from '../../decimal.ts';

export type Sweep = NonNullable<TrainingJobSpec['sweep']>;
type Searched = Sweep['parameters'][number];
type Range = NonNullable<Searched['range']>;
export type Parameters = Readonly<Record<string, string>>;

/** Draws of one combination that was there already, before a search is taken to be exhausted. */
const MOST_REPEATS = 100;

/** Every combination, the last parameter changing fastest. */
const combinations = (parameters: readonly Searched[]): Parameters[] =>
  parameters.reduce<Parameters[]>(
    (sofar, { name, values = [] }) => sofar.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );

/** A number of a range. Log is uniform in the logarithm, so that 0.001 is as likely as 0.1. */
function drawn({ min, max, scale, integer }: Range, share: number): string {
  const [low, high] = [Number(min), Number(max)];
  if (integer) {
    const from = Math.ceil(low);
    return String(Math.min(Math.floor(high), from + Math.floor(share * (Math.floor(high) - from + 1))));
  }
  const value = scale === 'Log' ? Math.exp(Math.log(low) + share * Math.log(high / low)) : low + share * (high - low);
  return decimalText(value);
}

const draw = ({ values, range }: Searched, share: number): string =>
  range === undefined ? (values?.[Math.floor(share * (values.length ?? 1))] ?? '') : drawn(range, share);

/** As many different combinations as asked for, or as there are. */
function random({ parameters, trials, seed }: Sweep): Parameters[] {
  const next = mulberry32(seed);
  const found = new Map<string, Parameters>();
  for (let repeats = 0; found.size < trials && repeats < MOST_REPEATS; ) {
    const one = Object.fromEntries(parameters.map((parameter) => [parameter.name, draw(parameter, next())]));
    const key = JSON.stringify(one);
    repeats = found.has(key) ? repeats + 1 : 0;
    found.set(key, one);
  }
  return [...found.values()];
}

const rangeFault = ({ name, range }: Searched): string | undefined => {
  if (range === undefined) return undefined;
  const [low, high] = [Number(range.min), Number(range.max)];
  if (!(low < high)) return `The range of ${name} ends at ${range.max} before it begins at ${range.min}: swap them.`;
  if (range.scale === 'Log' && low <= 0)
    return `The range of ${name} begins at ${range.min}: scale Log needs a min above 0.`;
  if (range.integer && Math.ceil(low) > Math.floor(high))
    return `There is no whole number from ${range.min} to ${range.max} for ${name}.`;
  return undefined;
};

/** What the API server can't see of a sweep, in one sentence that says what to write; undefined: it can run. */
export function sweepFault(sweep: Sweep): string | undefined {
  const fault = sweep.parameters.map(rangeFault).find((found) => found !== undefined);
  if (fault !== undefined) return fault;
  const size = sweep.parameters.reduce((product, { values = [] }) => product * values.length, 1);
  if (sweep.search === 'Random' || size <= sweep.trials) return undefined;
  return `The grid has ${size} combinations, and sweep.trials is ${sweep.trials}: raise it, leave values out, or write search: Random.`;
}

/** The parameters of each trial, in order. The same sweep gives the same trials at every call. Call sweepFault first. */
export const trialsOf = (sweep: Sweep): Parameters[] =>
  sweep.search === 'Grid' ? combinations(sweep.parameters) : random(sweep);
