import { parentPort } from 'node:worker_threads';
import { RequestError } from '../../requestError.ts';
import { readRegion } from '../json/region.ts';
import type { ReadOrder, ReadReport } from './messages.ts';

/** The main of a parser thread: reads lists of numbers for as long as its parent lives. */
export function parserMain(): void {
  parentPort?.on('message', (order: ReadOrder) => parentPort?.postMessage(reportOf(order)));
}

function reportOf({ id, bytes, start, stop, into }: ReadOrder): ReadReport {
  try {
    readRegion(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, stop, into);
    return { id };
  } catch (error) {
    if (error instanceof RequestError) return { id, refusal: { status: error.status, sentence: error.message } };
    return { id, broken: String(error) };
  }
}
