import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../config.ts';
import { readable } from './readable.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** A person is reading: one plain line an entry instead of JSON. */
  readonly terminal: boolean;
  readonly destination?: DestinationStream;
}

/** JSON lines with RFC 3339 times and level names, as log collectors expect; errors under `err` with their stack. */
export function createLog({ level, terminal, destination }: LogOptions): Logger {
  const out = destination ?? pino.destination({ sync: true });
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, terminal ? { write: (line) => out.write(readable(line)) } : out);
}
