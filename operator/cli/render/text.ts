/** Widest line any command prints: what a terminal shows without wrapping by default. */
export const COLUMNS = 80;

/** Breaks text between words into lines of at most `width`; a single longer word is cut, so the limit always holds. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((w) => w !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return line === '' ? lines : [...lines, line];
}

/** `label` in a fixed column, then the text, wrapped under itself. */
export function field(label: string, text: string, indent = 2, labelWidth = 11): string[] {
  const margin = indent + labelWidth;
  const first = `${' '.repeat(indent)}${label.padEnd(labelWidth)}`;
  return wrap(text, COLUMNS - margin).map((line, i) => (i === 0 ? first : ' '.repeat(margin)) + line);
}

/** Columns as wide as their widest cell; the last column takes the rest of the line and wraps under itself. */
export function table(rows: readonly (readonly string[])[], indent = 4): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const margin = indent + widths.slice(0, -1).reduce((sum, w) => sum + w + 2, 0);
  return rows.flatMap((row) => {
    const head = row.slice(0, -1).map((cell, i) => cell.padEnd((widths[i] ?? 0) + 2));
    const rest = wrap(row.at(-1) ?? '', Math.max(8, COLUMNS - margin));
    const first = `${' '.repeat(indent)}${head.join('')}${rest[0] ?? ''}`.trimEnd();
    return [first, ...rest.slice(1).map((line) => ' '.repeat(margin) + line)];
  });
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** Seconds in the two largest units that are not zero: 3725 is "1h2m". */
export function span(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('') || '0s';
}

/** Age of an RFC 3339 time. */
export const since = (at: string, now: Date): string => span((now.getTime() - Date.parse(at)) / 1000);
