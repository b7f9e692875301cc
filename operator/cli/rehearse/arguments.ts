import { parseDuration } from '../durations.ts';
import { type Manifested, readManifested } from '../manifestArguments.ts';
import { UsageError } from '../usageError.ts';
import { MOST_SECONDS } from './recordFile.ts';
import type { Faults, WhatIf } from './whatIf.ts';

const FAULTS = ['errors', 'slow', 'invalid', 'disagree', 'wrong'] as const;

type Flags = Readonly<
  Partial<
    Record<(typeof FAULTS)[number] | keyof typeof REPLAY | 'filename' | 'rps' | 'runs' | 'most', string | boolean>
  >
>;

/** Flags of a replay, and what to write. */
const REPLAY = {
  from: '--from=traffic.jsonl',
  prometheus: '--prometheus=http://localhost:9090',
  since: '--since=24h',
  interval: '--interval=15s',
  candidate: '--candidate=1.1.0',
  record: '--record=traffic.jsonl',
} as const;

/** Where recorded traffic is read, and where it is kept. */
export type Recorded =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'prometheus';
      readonly server: string;
      readonly sinceSeconds: number;
      readonly intervalSeconds: number;
      readonly candidate: string | undefined;
      readonly record: string | undefined;
    };

function recordedOf(flags: Flags): Recorded | undefined {
  const [path, server] = [textOf(flags, 'from'), textOf(flags, 'prometheus')];
  const others = (['since', 'interval', 'candidate', 'record'] as const).filter((name) => flags[name] !== undefined);
  if (path !== undefined && server !== undefined)
    throw new UsageError('rehearse replays one record: write --from=FILE or --prometheus=URL');
  if (server === undefined) {
    const [odd] = others;
    if (odd !== undefined)
      throw new UsageError(`--${odd} goes with --prometheus: write ${REPLAY.prometheus} ${REPLAY[odd]}`);
    return path === undefined ? undefined : { kind: 'file', path };
  }
  if (!/^https?:\/\/[^/]/.test(server)) throw new UsageError(`"${server}" is no address: write ${REPLAY.prometheus}`);
  const duration = (name: 'since' | 'interval', otherwise: string): number => {
    const seconds = parseDuration(textOf(flags, name) ?? otherwise);
    if (seconds === undefined || seconds < 1)
      throw new UsageError(`"${textOf(flags, name)}" is no duration: write ${REPLAY[name]}`);
    return seconds;
  };
  const [sinceSeconds, intervalSeconds] = [duration('since', '24h'), duration('interval', '15s')];
  if (sinceSeconds < 4 * intervalSeconds)
    throw new UsageError(`a record has four intervals at least: write ${REPLAY.since} ${REPLAY.interval}`);
  if (sinceSeconds > MOST_SECONDS) throw new UsageError(`a record has seven days at most: write ${REPLAY.since}`);
  const [candidate, record] = [textOf(flags, 'candidate'), textOf(flags, 'record')];
  return { kind: 'prometheus', server, sinceSeconds, intervalSeconds, candidate, record };
}

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

export type Rehearsing = Manifested &
  Pick<WhatIf, 'faults' | 'runs' | 'mostSeconds'> & {
    /** undefined: traffic is made up. */
    readonly recorded: Recorded | undefined;
    readonly json: boolean;
  };

/** The flags of `rehearse`. Throws UsageError. */
export function readRehearsal(flags: Flags, words: readonly string[], json: boolean): Rehearsing {
  const manifested = readManifested(
    'rehearse',
    { filename: textOf(flags, 'filename'), rps: textOf(flags, 'rps') },
    words,
  );
  const recorded = recordedOf(flags);
  if (recorded === undefined && manifested.perSecond === undefined) {
    throw new UsageError(
      'rehearse needs the requests of the whole service a second, or a record of them: write --rps=100 or --from=FILE',
    );
  }
  const faults: Faults = Object.fromEntries(
    FAULTS.flatMap((name) => {
      const text = textOf(flags, name);
      return text === undefined ? [] : [[name, shareOf(name, text)]];
    }),
  );
  const [made] = ['rps', ...FAULTS].filter((name) => flags[name as keyof Flags] !== undefined);
  if (recorded !== undefined && made !== undefined)
    throw new UsageError(`--${made} is for traffic that is made up: leave it out, the record tells of its own`);
  const [runs, mostSeconds] = [
    runsOf(textOf(flags, 'runs') ?? (recorded === undefined ? '20' : '100')),
    secondsOf(textOf(flags, 'most') ?? (recorded === undefined ? '24h' : '4h')),
  ];
  return { ...manifested, faults, runs, mostSeconds, recorded, json };
}
