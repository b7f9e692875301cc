import type { TensorValue } from '../../tensor.ts';

/** Reads large lists of numbers where they block nobody. */
export interface RegionReader {
  /** Whether these elements can be written from elsewhere. */
  reaches(into: TensorValue): boolean;
  /** Reads the list body[start…stop] into a tensor. Rejects RequestError; the memory is untouched afterwards. */
  read(body: Buffer, start: number, stop: number, into: TensorValue): Promise<void>;
}
