import type { Prediction } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { gapInterval } from '../intervals/gap.ts';
import { estimate, METRICS, type Measured } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import type { Sample } from '../sample.ts';
import { advice } from './advice.ts';
import { type MetricGate, minSamplesOf, nameOf, rowsOf, sampleOfRows } from './answers.ts';
import { requireColumn } from './sliceExpression.ts';
import { comparison, type Finding, number, verdictOf } from './verdict.ts';

/** More groups than this are no groups but a measurement. */
const MOST_GROUPS = 100;
const NAMED = 5;
const METHOD =
  "the groups' own intervals combined (MOVER); upper: every pair below it; lower: Bonferroni over the pairs";

interface Group {
  readonly name: string;
  readonly rows: readonly number[];
  readonly sample: Sample;
  readonly measured: Measured;
}

/** Holds the largest difference of a metric between groups against maxGap: its upper bound must not exceed that. */
export function judgeAcross(
  gate: MetricGate,
  predictions: readonly Prediction[],
  all: Sample,
  random: RandomBelow,
): Finding {
  const limit = Number(gate.maxGap);
  const groups = groupsOf(gate, predictions, all, random);
  const n = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  const facts = {
    groups: groups.map(({ name, rows, measured }) => ({ ...measured, group: name, n: rows.length })),
  };
  const base = { limit, n, method: METHOD, facts };
  const name = `${nameOf(gate, all)} across ${gate.across}`;
  const left = rowsOf(gate, predictions).length - n;
  const without = left === 0 ? '' : `; ${left.toLocaleString('en')} predictions without ${gate.across} are in no group`;
  const complaint = tooFew(gate, groups);
  if (complaint !== undefined) {
    const { low, high } = METRICS[gate.metric].widest;
    return {
      ...base,
      verdict: 'NeedMore',
      value: rawGap(groups),
      low: 0,
      high: high - low,
      message: `${name}: ${complaint}${without}`,
    };
  }
  const gap = gapInterval((z) => groups.map(({ sample }) => estimate(gate.metric, sample, random, z)));
  const verdict = verdictOf(gap, limit, 'max');
  const fewest = groups.reduce((least, { rows }) => Math.min(least, rows.length), Number.POSITIVE_INFINITY);
  const hint = verdict === 'NeedMore' ? `; of each group ${advice(gap, limit, 'max', fewest)}` : '';
  const sorted = groups.toSorted((a, b) => a.measured.value - b.measured.value);
  const [worst, best] = [sorted[0] as Group, sorted.at(-1) as Group];
  const message = `${name}: gap ${number(gap.value)} (95 % ${number(gap.low)} to ${number(gap.high)}, n=${n}), from ${number(worst.measured.value)} in ${worst.name} to ${number(best.measured.value)} in ${best.name}, ${comparison(verdict, 'max', gate.maxGap ?? '')}${hint}${without}`;
  return { ...base, ...gap, verdict, message };
}

function groupsOf(gate: MetricGate, predictions: readonly Prediction[], all: Sample, random: RandomBelow): Group[] {
  const column = gate.across ?? '';
  requireColumn(column, predictions, gate.name);
  const rows = new Map<string, number[]>();
  for (const row of rowsOf(gate, predictions)) {
    const cell = predictions[row]?.slice?.[column];
    if (cell === undefined) continue;
    const group = rows.get(String(cell));
    if (group) group.push(row);
    else rows.set(String(cell), [row]);
  }
  if (rows.size > MOST_GROUPS) {
    throw new Failure(
      'EvaluationInvalid',
      `Gate ${gate.name}: column ${column} has ${rows.size} values, too many for groups (at most ${MOST_GROUPS}); write a column of fewer, such as bands of it.`,
    );
  }
  return [...rows]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, own]) => {
      const sample = sampleOfRows(all, predictions, own);
      return { name, rows: own, sample, measured: estimate(gate.metric, sample, random) };
    });
}

const rawGap = (groups: readonly Group[]): number => {
  const values = groups.map(({ measured }) => measured.value).filter((value) => !Number.isNaN(value));
  return values.length > 1 ? Math.max(...values) - Math.min(...values) : 0;
};

function tooFew(gate: MetricGate, groups: readonly Group[]): string | undefined {
  if (groups.length < 2)
    return `there ${groups.length === 1 ? `is only the group ${groups[0]?.name}` : 'is no group'}; a gap needs two`;
  const fewest = minSamplesOf(gate);
  const small = groups.filter(({ rows }) => rows.length < fewest);
  if (small.length > 0)
    return `fewer than ${fewest} predictions in ${named(small, ({ rows }) => ` (${rows.length})`)}: evaluate on more of them, or leave them out by slice`;
  const undefinedIn = groups.filter(({ measured }) => Number.isNaN(measured.value));
  return undefinedIn.length > 0
    ? `undefined in ${named(undefinedIn, () => '')}: their examples are of one class only`
    : undefined;
}

function named(groups: readonly Group[], more: (group: Group) => string): string {
  const names = groups.slice(0, NAMED).map((group) => `${group.name}${more(group)}`);
  return groups.length > NAMED ? `${names.join(', ')} and ${groups.length - NAMED} more groups` : names.join(', ');
}
