import { jsonOf } from '../artifact/json.ts';

/** A whole string, which is left as it is, or one of the three words that Python's json module writes for numbers. */
const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * JSON as Python writes it: NaN, Infinity and -Infinity stand bare. They come back as text. Undefined for text that is
 * not JSON even so. A loss that became NaN is news, and would else be "not JSON".
 */
export const pythonJson = (text: string): unknown =>
  jsonOf(text.replaceAll(STRING_OR_WORD, (found) => (found.startsWith('"') ? found : `"${found}"`)));
