const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** Reads a duration of the API (90s, 10m, 1h30m, 7d) as milliseconds. Throws on anything else, naming what to write. */
export function parseDuration(text: string): number {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null || text === '') {
    throw new Error(`"${text}" is no duration: write whole units, largest first, such as 90s, 10m, 1h30m or 7d.`);
  }
  const [, d = '0', h = '0', m = '0', s = '0'] = match;
  return 1000 * (Number(d) * UNITS.d + Number(h) * UNITS.h + Number(m) * UNITS.m + Number(s) * UNITS.s);
}

/** Writes milliseconds as a duration of the API, rounded to whole seconds: 5400000 is 1h30m. */
export function durationText(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts = Object.entries(UNITS).map(([unit, seconds]) => {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
