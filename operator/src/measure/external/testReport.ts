import type { Guard } from '@slipway/crds';
import * as z from 'zod';
import { noBatches } from '../../domain/analysis/tally.ts';
import type { ExternalFinding } from '../../domain/rollout/world.ts';
import type { JobEnd } from '../../domain/workload/jobEnd.ts';
import { oneLine } from '../../domain/workload/oneLine.ts';
import { MOST_COUNTED } from './mostCounted.ts';

type JobGuard = NonNullable<Guard['job']>;

const count = z.number().min(0).max(MOST_COUNTED);
const reportSchema = z.object({ bad: count, total: count });
const LONGEST_LINE = 120;

/** How the one container of a test ended, as far as its pod tells. */
export interface TestEnd {
  readonly job: JobEnd;
  readonly exitCode: number | undefined;
  /** The last lines it printed. */
  readonly log: string | undefined;
}

const lastLine = (log: string): string => log.trimEnd().split('\n').at(-1)?.trim() ?? '';
const quoted = (line: string): string => (line === '' ? '' : `: ${oneLine(line).slice(0, LONGEST_LINE)}`);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function ratesOf(log: string | undefined): ExternalFinding {
  if (log === undefined) return { kind: 'Unreachable', message: 'what the test printed can not be read' };
  const line = lastLine(log);
  const read = reportSchema.safeParse(parsed(line));
  if (!read.success || read.data.bad > read.data.total) {
    const said = line === '' ? 'nothing' : `"${oneLine(line).slice(0, LONGEST_LINE)}"`;
    const message = `the last line of the test is ${said}: print {"bad": n, "total": n}, with no more bad than total, or leave max out`;
    return { kind: 'Invalid', message };
  }
  return { kind: 'Rates', ...read.data, batches: noBatches };
}

/** What a test that ended says. With `max` it is what it printed; a test that failed has failed whatever it printed. */
export function readTest({ max, timeout }: JobGuard, { job, exitCode, log }: TestEnd): ExternalFinding {
  if (job.kind === 'Complete') {
    return max === undefined
      ? { kind: 'Ended', passed: true, message: 'the test ended with exit code 0' }
      : ratesOf(log);
  }
  if (job.reason === 'DeadlineExceeded') {
    return { kind: 'Ended', passed: false, message: `the test took longer than ${timeout}` };
  }
  const code = exitCode === undefined ? job.message : `the test ended with exit code ${exitCode}`;
  return { kind: 'Ended', passed: false, message: `${code}${quoted(lastLine(log ?? ''))}` };
}
