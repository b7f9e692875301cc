/** Text as the content or an attribute of HTML; a trainer chose some of it. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Where a plot lies in its picture, in its units. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

const digits = (value: number): string => value.toFixed(1);
export const at = (value: number, { from, to }: Axis, begin: number, end: number): number =>
  begin + ((Math.max(from, Math.min(to, value)) - from) / (to - from || 1)) * (end - begin);

/** Round numbers between the ends: four to seven of them. */
export function ticksOf({ from, to }: Axis): readonly number[] {
  const rough = (to - from) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10) * unit;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line class="${kind}" x1="${digits(x1)}" y1="${digits(y1)}" x2="${digits(x2)}" y2="${digits(y2)}"/>`;
export const dot = (x: number, y: number, kind: string, radius = 3.5): string =>
  `<circle class="${kind}" cx="${digits(x)}" cy="${digits(y)}" r="${radius}"/>`;
export const text = (
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  kind = 'label',
): string =>
  `<text class="${kind}" x="${digits(x)}" y="${digits(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
export const path = (points: readonly (readonly [number, number])[], kind: string): string =>
  `<polyline class="${kind}" points="${points.map(([x, y]) => `${digits(x)},${digits(y)}`).join(' ')}"/>`;
export const bar = (x: number, y: number, width: number, height: number, kind: string): string =>
  `<rect class="${kind}" x="${digits(x)}" y="${digits(y)}" width="${digits(width)}" height="${digits(Math.max(0, height))}"/>`;

/** Both axes with their grid, numbers and names. */
export function axes(x: Axis, y: Axis, { left, right, top, bottom }: Frame): string {
  const across = ticksOf(x).map((tick) => {
    const place = at(tick, x, left, right);
    return line(place, top, place, bottom, 'grid') + text(place, bottom + 16, String(tick), 'middle', 'tick');
  });
  const up = ticksOf(y).map((tick) => {
    const place = at(tick, y, bottom, top);
    return line(left, place, right, place, 'grid') + text(left - 6, place + 4, String(tick), 'end', 'tick');
  });
  const names =
    text((left + right) / 2, bottom + 34, x.label, 'middle') +
    `<text class="label" text-anchor="middle" transform="translate(${digits(left - 42)} ${digits((top + bottom) / 2)}) rotate(-90)">${escaped(y.label)}</text>`;
  return [...across, ...up, names].join('');
}

/** A picture that screen readers can name. */
export const picture = (width: number, height: number, title: string, content: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" xmlns="http://www.w3.org/2000/svg">${content}</svg>`;
