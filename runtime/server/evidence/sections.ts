/**
 * Cuts one block of shared memory into counters, in the order of `sizes` (words each). Words are 64-bit floats: exact
 * to 2^53, where 32 bits would run over within a day of a busy model's features. One thread writes; any thread that
 * knows the sizes may read, and may see a request in one counter a moment before it is in the next.
 */
export function sectionsOf<Name extends string>(
  sizes: Readonly<Record<Name, number>>,
  memory: SharedArrayBuffer = new SharedArrayBuffer(bytesOf(sizes)),
): { readonly memory: SharedArrayBuffer; readonly sections: Readonly<Record<Name, Float64Array>> } {
  let offset = 0;
  const cut = ([name, words]: [string, number]) => {
    const section = new Float64Array(memory, offset, words);
    offset += section.byteLength;
    return [name, section] as const;
  };
  const sections = Object.fromEntries(Object.entries<number>(sizes).map(cut));
  return { memory, sections: sections as Record<Name, Float64Array> };
}

const bytesOf = (sizes: Readonly<Record<string, number>>): number =>
  Object.values(sizes).reduce((sum, words) => sum + words, 0) * Float64Array.BYTES_PER_ELEMENT;
