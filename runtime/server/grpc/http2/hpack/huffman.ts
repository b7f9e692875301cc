import { HpackError } from './integer.ts';

/**
 * Length in bits of the code of each byte 0 to 255 and of the end mark, a base-36 digit each (RFC 7541, appendix B).
 * The code is canonical: codes of one length follow each other in the order of the bytes, so the lengths say it all.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6' +
  'f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmnlmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const LONGEST = 30;
const END_MARK = 256;

/** By code length: the first code, how many there are, and where their bytes begin in BYTES. */
const FIRST = new Uint32Array(LONGEST + 1);
const COUNT = new Uint32Array(LONGEST + 1);
const OFFSET = new Uint32Array(LONGEST + 1);
const BYTES = canonicalOrder();

function canonicalOrder(): readonly number[] {
  const lengths = [...LENGTHS].map((digit) => Number.parseInt(digit, 36));
  const order: number[] = [];
  let code = 0;
  for (let length = 1; length <= LONGEST; length++) {
    code *= 2;
    FIRST[length] = code;
    OFFSET[length] = order.length;
    for (let byte = 0; byte <= END_MARK; byte++) if (lengths[byte] === length) order.push(byte);
    COUNT[length] = order.length - (OFFSET[length] as number);
    code += COUNT[length] as number;
  }
  return order;
}

/** The text of a Huffman-coded string, a character for each byte. Throws HpackError: the end mark, or padding that is none. */
export function readHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length += 1;
      const place = code - (FIRST[length] as number);
      if (place >= (COUNT[length] as number) || place < 0) {
        if (length === LONGEST) throw new HpackError('a Huffman code that stands for nothing');
        continue;
      }
      const found = BYTES[(OFFSET[length] as number) + place] as number;
      if (found === END_MARK) throw new HpackError('the end mark inside a Huffman string');
      text += String.fromCharCode(found);
      code = 0;
      length = 0;
    }
  }
  if (length > 7 || code !== 2 ** length - 1) throw new HpackError('padding of a Huffman string that is not ones');
  return text;
}
