import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import * as z from 'zod';
import type { Interval, Recording } from '../../src/domain/guards/rehearsal/record.ts';
import { UsageError } from '../usageError.ts';

const count = z.int().min(0);

/** A line of a record: what one version counted from `time` on, until the time of its next line. */
const lineSchema = z
  .strictObject({
    time: z.union([z.iso.datetime({ offset: true }), z.number().positive()]),
    arm: z.enum(['stable', 'candidate']).default('stable'),
    total: count,
    bad: count.default(0),
    invalid: count.default(0),
    slower: z.record(z.string(), count).default({}),
    right: count.default(0),
    wrong: count.default(0),
  })
  .refine(({ total, bad, invalid, slower }) => Math.max(bad, invalid, 0, ...Object.values(slower)) <= total, {
    error: 'bad, invalid and slower are parts of total',
  });
type Line = z.output<typeof lineSchema>;

const EXAMPLE = '{"time":"2030-01-01T00:00:00Z","total":1500,"bad":3,"slower":{"60":12}}';
const BOUNDS: readonly number[] = LATENCY_BOUNDS_MS;

const wrong = (path: string, line: number, why: string): UsageError =>
  new UsageError(`${path}, line ${line}: ${why}. Write lines such as ${EXAMPLE}, or CSV with the same names.`);

function checked(value: unknown, path: string, at: number): Line {
  const read = lineSchema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw wrong(path, at, `${where === '' ? '' : `${where}: `}${issue?.message ?? 'is no interval'}`);
  }
  const odd = Object.keys(read.data.slower).find((ms) => !BOUNDS.includes(Number(ms)));
  if (odd !== undefined) throw wrong(path, at, `slower.${odd}: the runtime counts by ${BOUNDS.join(', ')} ms`);
  return read.data;
}

function json(text: string, path: string, at: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(path, at, 'is no JSON');
  }
}

const SLOWER = 'slower_';

/** A row of a CSV as the object that a JSON line would hold: slower_60 is slower["60"]. */
function rowOf(head: readonly string[], text: string, path: string, at: number): unknown {
  const cells = text.split(',').map((cell) => cell.trim());
  if (cells.length !== head.length) throw wrong(path, at, `has ${cells.length} cells, and the head has ${head.length}`);
  const slower: Record<string, number> = {};
  const row: Record<string, unknown> = {};
  for (const [i, name] of head.entries()) {
    const cell = cells[i] ?? '';
    if (cell === '') continue;
    const value = /^[0-9]+(\.[0-9]+)?$/.test(cell) ? Number(cell) : cell;
    if (name.startsWith(SLOWER)) slower[name.slice(SLOWER.length)] = value as number;
    else row[name] = value;
  }
  return Object.keys(slower).length === 0 ? row : { ...row, slower };
}

const timeOf = ({ time }: Line): number => (typeof time === 'number' ? time * 1000 : Date.parse(time));

function intervalsOf(lines: readonly Line[], arm: Line['arm'], path: string): readonly Interval[] {
  const own = lines.filter((line) => line.arm === arm).map((line) => ({ line, at: timeOf(line) }));
  return own.map(({ line: { time: _time, arm: _arm, ...counted }, at }, i) => {
    const [before, next] = [own[i - 1]?.at, own[i + 1]?.at];
    // The last one is taken to be as long as the one before it.
    const end = next ?? at + (at - (before ?? at - 1000));
    if (end <= at)
      throw new UsageError(
        `${path}: times must rise from line to line, and ${new Date(at).toISOString()} is not followed by a later one.`,
      );
    return { ...counted, at, seconds: (end - at) / 1000 };
  });
}

/** A record is held in memory by the second. */
export const MOST_SECONDS = 7 * 86_400;

/** Reads a record of traffic. Throws UsageError with the line that is at fault and what to write. */
export function readRecord(text: string, path: string): Recording {
  const rows = text.split(/\r?\n/).map((line, i) => ({ text: line.trim(), at: i + 1 }));
  const filled = rows.filter((row) => row.text !== '');
  const isJson = filled[0]?.text.startsWith('{') === true;
  const [head, ...body] = filled;
  const names = (head?.text ?? '').split(',').map((name) => name.trim());
  if (!isJson && !names.includes('time')) throw wrong(path, 1, 'is neither JSON nor the head of a CSV');
  const lines = (isJson ? filled : body).map((row) =>
    checked(isJson ? json(row.text, path, row.at) : rowOf(names, row.text, path, row.at), path, row.at),
  );
  const recording = { stable: intervalsOf(lines, 'stable', path), candidate: intervalsOf(lines, 'candidate', path) };
  if (recording.stable.length + recording.candidate.length < 2)
    throw new UsageError(`${path} holds ${lines.length} intervals, and a replay needs two at least.`);
  const times = [...recording.stable, ...recording.candidate].map(({ at }) => at);
  if ((times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b))) / 1000 > MOST_SECONDS)
    throw new UsageError(`${path} spans more than 7 days: replay a part of it.`);
  return recording;
}

/** A record as text that readRecord reads: a line for each interval. */
export const recordText = (recording: Recording): string =>
  (['stable', 'candidate'] as const)
    .flatMap((arm) => recording[arm].map(({ at, seconds: _seconds, ...counted }) => ({ at, arm, ...counted })))
    .sort((a, b) => a.at - b.at)
    .map(({ at, ...rest }) => `${JSON.stringify({ time: new Date(at).toISOString(), ...rest })}\n`)
    .join('');
