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

/** JSON lines, as collectors read them; at a terminal, plain lines for the person in front of it. */
export function openLog(out: Screen): Log {
  if (out.isTTY) return screenLog((line) => out.write(`${line}\n`));
  const lines = pino({ base: null });
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
