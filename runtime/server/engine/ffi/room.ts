import { ARRAYS, type NumericDatatype, type NumericElements, viewOf } from '../../tensor.ts';

const SLAB_BYTES = 65_536;
/** A tensor above this has memory of its own. */
const SMALL_BYTES = SLAB_BYTES / 16;
/** What kernels like to write to, and a multiple of every element size. */
const ALIGNMENT = 64;

/**
 * Memory for answers, shared so that native code can write to it from another thread. Small tensors are cut from one
 * slab after the other, for making shared memory costs more than a small run; no piece is given out twice, and a slab
 * lives as long as one of its pieces.
 */
export class Room {
  #slab = new SharedArrayBuffer(SLAB_BYTES);
  #used = 0;

  take(datatype: NumericDatatype, length: number): NumericElements {
    const bytes = length * ARRAYS[datatype].BYTES_PER_ELEMENT;
    if (bytes > SMALL_BYTES) return viewOf(datatype, new SharedArrayBuffer(bytes), 0, length);
    if (this.#used + bytes > SLAB_BYTES) {
      this.#slab = new SharedArrayBuffer(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    return viewOf(datatype, this.#slab, at, length);
  }
}

/** Elements that native code may read from any thread: those given if they are shared, a shared copy otherwise. */
export function inPlace(elements: NumericElements): NumericElements {
  if (elements.buffer instanceof SharedArrayBuffer) return elements;
  const bytes = new Uint8Array(new SharedArrayBuffer(elements.byteLength));
  bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  const ArrayOf = elements.constructor as new (memory: SharedArrayBuffer) => NumericElements;
  return new ArrayOf(bytes.buffer);
}
