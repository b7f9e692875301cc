import { parseDuration } from '../durations.ts';
import { type Manifested, readManifested } from '../manifestArguments.ts';
import { UsageError } from '../usageError.ts';
import type { Faults, WhatIf } from './whatIf.ts';

const FAULTS = ['errors', 'slow', 'invalid', 'disagree', 'wrong'] as const;

type Flags = Readonly<
  Partial<Record<(typeof FAULTS)[number] | 'filename' | 'rps' | 'runs' | 'most', string | boolean>>
>;

function shareOf(flag: string, text: string): number {
  const share = /^[0-9]{1,3}(\.[0-9]{1,4})?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number.NaN;
  if (!(share >= 0 && share <= 1))
    throw new UsageError(`--${flag} must be a share from 0% to 100%: write --${flag}=30%`);
  return share;
}

const textOf = (flags: Flags, name: keyof Flags): string | undefined => {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
};

function runsOf(text: string): number {
  const runs = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (runs < 1 || runs > 1000)
    throw new UsageError(`"${text}" is no number of rollouts from 1 to 1000: write --runs=20`);
  return runs;
}

function secondsOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined || seconds < 1) throw new UsageError(`"${text}" is no duration: write --most=24h`);
  return seconds;
}

/** The flags of `rehearse`. Throws UsageError. */
export function readRehearsal(
  flags: Flags,
  words: readonly string[],
): Manifested & Pick<WhatIf, 'faults' | 'runs' | 'mostSeconds'> {
  const manifested = readManifested(
    'rehearse',
    { filename: textOf(flags, 'filename'), rps: textOf(flags, 'rps') },
    words,
  );
  if (manifested.perSecond === undefined) {
    throw new UsageError('rehearse needs the requests of the whole service a second: write --rps=100');
  }
  const faults: Faults = Object.fromEntries(
    FAULTS.flatMap((name) => {
      const text = textOf(flags, name);
      return text === undefined ? [] : [[name, shareOf(name, text)]];
    }),
  );
  const [runs, mostSeconds] = [runsOf(textOf(flags, 'runs') ?? '20'), secondsOf(textOf(flags, 'most') ?? '24h')];
  return { ...manifested, faults, runs, mostSeconds };
}
