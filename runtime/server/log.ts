import { pino } from 'pino';

/** A line: facts for machines, a sentence for people. */
export type Say = (facts: object, sentence: string) => void;

export interface Log {
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  readonly fatal: Say;
}

interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const STDOUT = 1;

/** Logs of the process. Both write to the same place, each line whole. */
export interface Logs {
  /** Written before a call returns: the last lines of a process are there when it ends, however it ends. */
  readonly own: Log;
  /**
   * For lines about requests, of which there may be thousands a second: written on libuv's pool, many at once. Runs that
   * hang may hold the pool.
   */
  readonly busy: Log;
}

/** JSON lines, as collectors read them; at a terminal, plain lines for the person in front of it. */
export function openLogs(out: Screen): Logs {
  if (!out.isTTY) return { own: jsonLog(true), busy: jsonLog(false) };
  const log = screenLog((line) => out.write(`${line}\n`));
  return { own: log, busy: log };
}

function jsonLog(sync: boolean): Log {
  const lines = pino({ base: null }, pino.destination({ fd: STDOUT, sync }));
  return {
    info: (facts, sentence) => lines.info(facts, sentence),
    warn: (facts, sentence) => lines.warn(facts, sentence),
    error: (facts, sentence) => lines.error(facts, sentence),
    fatal: (facts, sentence) => lines.fatal(facts, sentence),
  };
}

export function screenLog(write: (line: string) => void): Log {
  const say =
    (mark: string): Say =>
    (facts, sentence) => {
      const known = Object.entries(facts).map(([name, value]) => `${name}=${textOf(value)}`);
      write([mark, sentence, ...known].filter((part) => part !== '').join(' '));
    };
  return { info: say(''), warn: say('warning:'), error: say('error:'), fatal: say('slipway-server:') };
}

const textOf = (value: unknown): string => {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
};
