import { cells } from './cells.ts';
import { check, created, type Library } from './library.ts';

const CELL = BigUint64Array.BYTES_PER_ELEMENT;

/** Writes texts as UTF-8 into a string tensor of as many elements. */
export function fillStrings({ api, copy }: Library, tensor: bigint, texts: readonly string[]): void {
  const out = cells(1);
  texts.forEach((text, i) => {
    if (text.length === 0) return;
    const bytes = Buffer.from(text);
    const target = created(api, out, (at) => api.GetResizedStringTensorElementBuffer(tensor, i, bytes.length, at));
    copy(target, bytes, bytes.length);
  });
}

/** Reads the `count` elements of a string tensor; bytes that are not UTF-8 become U+FFFD. */
export function readStrings({ api }: Library, tensor: bigint, count: number): string[] {
  if (count === 0) return [];
  const out = cells(1);
  const length = Number(created(api, out, (at) => api.GetStringTensorDataLength(tensor, at)));
  const bytes = Buffer.allocUnsafeSlow(length + 1);
  const offsets = new BigUint64Array(new SharedArrayBuffer(count * CELL));
  check(api, api.GetStringTensorContent(tensor, bytes, length, offsets, count));
  return Array.from(offsets, (start, i) =>
    bytes.toString('utf8', Number(start), i + 1 < count ? Number(offsets[i + 1]) : length),
  );
}
