import type { Signature } from '@slipway/crds/contract';
import { bytesPerElement, roomFor, sizeOf, type TensorValue } from '../tensor.ts';
import { type Owner, Request } from './request.ts';
import { isBatchable, type RowLayout, rowLayoutOf } from './rowLayout.ts';
import { RowMemory } from './rowMemory.ts';

export interface RoomBounds {
  readonly maxSize: number;
  readonly instances: number;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
}

/** What a string costs beside its characters. */
const STRING_BYTES = 16;

/**
 * Memory for the inputs of requests: rows of the ring where all rows are alike, else memory of their own. Counts the bytes
 * of what is leased or waits.
 */
export class Rooms {
  readonly batchable: boolean;
  /** Whether requests may differ in their shapes beside the batch dimension. */
  readonly groups: boolean;
  readonly #signature: Signature;
  readonly #bounds: RoomBounds;
  readonly #layout: RowLayout | undefined;
  readonly #memory: RowMemory | undefined;
  #waitingBytes = 0;

  constructor(signature: Signature, bounds: RoomBounds) {
    this.#signature = signature;
    this.#bounds = bounds;
    this.batchable = isBatchable(signature);
    this.#layout = rowLayoutOf(signature);
    this.groups = this.batchable && this.#layout === undefined;
    this.#memory = this.#layout && new RowMemory(this.#layout, bounds.maxSize, mostRows(bounds, this.#layout));
  }

  /** Bytes of one full batch, where that is known. */
  get batchBytes(): number {
    return (this.#layout?.bytes ?? 0) * this.#bounds.maxSize;
  }

  rowsOf(shapes: readonly (readonly number[])[]): number {
    return this.batchable ? (shapes[0]?.[0] ?? 1) : 1;
  }

  /** Undefined when too many bytes wait already, or there is no more memory. One request always finds room, however large. */
  open(owner: Owner, shapes: readonly (readonly number[])[]): Request | undefined {
    const rows = this.rowsOf(shapes);
    const bytes = this.#layout === undefined ? this.#bytesOf(shapes) : rows * this.#layout.bytes;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#bounds.maxQueueBytes) return undefined;
    const alone = !this.batchable || rows < 1 || rows > this.#bounds.maxSize;
    const request =
      (alone ? undefined : this.#openRows(owner, rows, bytes)) ?? this.#openOwn(owner, shapes, rows, bytes, alone);
    if (request !== undefined) this.#waitingBytes += bytes;
    return request;
  }

  /** Counts the text of a decoded request too, whose length the shapes did not tell. False when that is too much. */
  countText(request: Request): boolean {
    let bytes = 0;
    for (const { elements } of request.inputs) {
      if (Array.isArray(elements)) for (const text of elements) bytes += text.length;
    }
    const others = this.#waitingBytes - request.bytes;
    request.bytes += bytes;
    this.#waitingBytes += bytes;
    return others <= 0 || this.#waitingBytes <= this.#bounds.maxQueueBytes;
  }

  /** The request waits no longer: it runs, or has gone. */
  left(request: Request): void {
    this.#waitingBytes -= request.bytes;
    request.bytes = 0;
  }

  /** Nobody reads the inputs any more. */
  free(request: Request): void {
    this.left(request);
    request.ring?.release(request.start);
  }

  #openRows(owner: Owner, rows: number, bytes: number): Request | undefined {
    const start = this.#memory?.lease(rows);
    if (start === undefined || this.#memory === undefined) return undefined;
    const { ring } = this.#memory;
    return new Request(owner, ring.view(start, rows), rows, bytes, false, '', ring, start);
  }

  #openOwn(
    owner: Owner,
    shapes: readonly (readonly number[])[],
    rows: number,
    bytes: number,
    alone: boolean,
  ): Request | undefined {
    const group = this.groups ? shapes.map(([, ...shape]) => shape.join()).join(';') : '';
    try {
      return new Request(owner, this.#ownMemory(shapes), rows, bytes, alone, group, undefined, 0);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #ownMemory(shapes: readonly (readonly number[])[]): readonly TensorValue[] {
    return this.#signature.inputs.map(({ name, datatype }, i) => {
      const shape = shapes[i] as readonly number[];
      return { name, datatype, shape, elements: roomFor(datatype, sizeOf(shape)) };
    });
  }

  #bytesOf(shapes: readonly (readonly number[])[]): number {
    return this.#signature.inputs.reduce(
      (sum, { datatype }, i) =>
        sum + sizeOf(shapes[i] as readonly number[]) * (bytesPerElement(datatype) ?? STRING_BYTES),
      0,
    );
  }
}

/** Room in the ring for everything that may wait or run: more is never used. */
function mostRows({ maxSize, instances, maxQueue, maxQueueBytes }: RoomBounds, layout: RowLayout): number {
  const running = maxSize * (instances + 1);
  return Math.min(maxQueue + running, Math.floor(maxQueueBytes / layout.bytes) + running);
}
