const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration like 90s or 1h30m; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]+[dhms])+$/.test(text)) return undefined;
  return [...text.matchAll(/([0-9]+)([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0),
    0,
  );
}
