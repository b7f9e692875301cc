import { HpackError } from './integer.ts';
import type { HeaderField } from './staticTable.ts';

interface Entry {
  readonly field: HeaderField;
  readonly size: number;
}

/** Fields that the other side sent before, newest first, at most so many bytes of them (RFC 7541, section 4). */
export class DynamicTable {
  readonly #maxBytes: number;
  #capacity: number;
  #bytes = 0;
  /** Newest last: fields come and go at the two ends. */
  #entries: Entry[] = [];
  revision = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#capacity = maxBytes;
  }

  at(index: number): HeaderField | undefined {
    return this.#entries[this.#entries.length - 1 - index]?.field;
  }

  /** A field larger than the table empties it and is not kept (section 4.4). */
  add(field: HeaderField, size: number): void {
    this.#evictTo(Math.max(0, this.#capacity - size));
    this.revision += 1;
    if (size > this.#capacity) return;
    this.#entries.push({ field, size });
    this.#bytes += size;
  }

  resize(capacity: number): void {
    if (capacity > this.#maxBytes) throw new HpackError(`a table of ${capacity} bytes, ${this.#maxBytes} are allowed`);
    this.#capacity = capacity;
    this.revision += 1;
    this.#evictTo(capacity);
  }

  #evictTo(bytes: number): void {
    let evicted = 0;
    for (; this.#bytes > bytes; evicted++) this.#bytes -= (this.#entries[evicted] as Entry).size;
    if (evicted > 0) this.#entries = this.#entries.slice(evicted);
  }
}
