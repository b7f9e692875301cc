import { WEEKDAYS } from '@slipway/crds';
import type { World } from './world.ts';

export type Window = NonNullable<World['spec']['rollout']['window']>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Days and hours repeat each week; a day more, as the week may begin behind the hours of its first day. */
const DAYS_AHEAD = 9;

/** A moment as the clocks and calendars of a time zone show it. */
interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Minutes since midnight, with the seconds as a fraction. */
  readonly minutes: number;
}

/** Formats are slow to make, and each pass of each rollout asks for the same few. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

function wallClock(timeZone: string, at: number): WallClock {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return { year, month, day, minutes: hour * 60 + minute + second / 60 };
}

/** Milliseconds of a wall clock on a time line of its own, so that two can be compared. */
const lineOf = ({ year, month, day, minutes }: WallClock): number =>
  Date.UTC(year, month - 1, day) + minutes * MINUTE_MS;

const weekdayOf = ({ year, month, day }: WallClock, daysBefore = 0): (typeof WEEKDAYS)[number] => {
  const sundayFirst = new Date(Date.UTC(year, month - 1, day - daysBefore)).getUTCDay();
  return WEEKDAYS[(sundayFirst + 6) % 7] ?? 'Mon';
};

interface Hours {
  readonly from: number;
  readonly until: number;
}

const minutesOf = (time: string): number => {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
};

const hoursOf = ({ hours }: Window): Hours => {
  const [from = '', until = ''] = (hours ?? '00:00-24:00').split('-');
  return { from: minutesOf(from), until: minutesOf(until) };
};

const crossesMidnight = ({ from, until }: Hours): boolean => until <= from;

const dayIsOpen = ({ days = [] }: Window, day: (typeof WEEKDAYS)[number]): boolean =>
  days.length === 0 || days.includes(day);

/** Hours that cross midnight belong to the day on which they begin: Fri 22:00-04:00 is open on Saturday at 03:00. */
function isInHours(window: Window, at: number): boolean {
  const now = wallClock(window.timeZone, at);
  const hours = hoursOf(window);
  const today = now.minutes >= hours.from && (crossesMidnight(hours) || now.minutes < hours.until);
  if (today && dayIsOpen(window, weekdayOf(now))) return true;
  return crossesMidnight(hours) && now.minutes < hours.until && dayIsOpen(window, weekdayOf(now, 1));
}

const isFrozen = ({ freezes = [] }: Window, at: number): boolean =>
  freezes.some(({ from, until }) => at >= Date.parse(from) && at < Date.parse(until));

const isOpenAt = (window: Window, at: number): boolean => !isFrozen(window, at) && isInHours(window, at);

/**
 * The first moment at which the clocks show this time or a later one of that day. Clocks that are put forward skip some
 * times, and then it is the moment of the jump; clocks that are put back show some twice, and then it is the first.
 */
function momentOf(timeZone: string, wanted: WallClock): number {
  const line = lineOf(wanted);
  const offsets = [line - DAY_MS, line + DAY_MS].map((at) => lineOf(wallClock(timeZone, at)) - at);
  const [first = line, last = line] = offsets.map((offset) => line - offset).sort((a, b) => a - b);
  let at = first;
  while (at < last && lineOf(wallClock(timeZone, at)) < line) at += MINUTE_MS;
  return at;
}

/** Beginnings of the hours of the next days, seen from a moment, the day before included. */
function beginnings(window: Window, from: number): readonly number[] {
  const today = wallClock(window.timeZone, from);
  return Array.from({ length: DAYS_AHEAD }, (_, i) => {
    const date = new Date(Date.UTC(today.year, today.month - 1, today.day + i - 1));
    const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    return momentOf(window.timeZone, { ...day, minutes: hoursOf(window).from });
  });
}

/**
 * When a closed window opens: at the beginning of the hours of a day, or at the end of a freeze. undefined: one freeze
 * after another leaves nothing open.
 */
function nextOpening(window: Window, now: number): Date | undefined {
  const thaws = (window.freezes ?? []).map(({ until }) => Date.parse(until)).filter((at) => at > now);
  const moments = [...thaws, ...[now, ...thaws].flatMap((from) => beginnings(window, from))];
  const at = moments.sort((a, b) => a - b).find((moment) => moment > now && isOpenAt(window, moment));
  return at === undefined ? undefined : new Date(at);
}

export interface Opening {
  readonly open: boolean;
  /** When it opens, if it is closed. */
  readonly nextOpen?: Date;
}

/** Whether a window is open, by the clocks of its time zone. Throws a RangeError for a zone that nobody knows. */
export function windowOpens(window: Window, now: Date): Opening {
  if (isOpenAt(window, now.getTime())) return { open: true };
  const nextOpen = nextOpening(window, now.getTime());
  return { open: false, ...(nextOpen === undefined ? {} : { nextOpen }) };
}

/** What is wrong with a window, as a sentence that says what to write instead. */
export function windowFault({ timeZone, freezes = [] }: Window): string | undefined {
  try {
    formatOf(timeZone);
  } catch {
    return `rollout.window.timeZone: nobody knows the time zone ${timeZone}; write a name of the IANA data base, such as Europe/Berlin or UTC.`;
  }
  const at = freezes.findIndex(({ from, until }) => !(Date.parse(from) < Date.parse(until)));
  return at === -1
    ? undefined
    : `rollout.window.freezes[${at}] must end after it begins: write until later than from, both as 2030-12-24T00:00:00Z.`;
}
