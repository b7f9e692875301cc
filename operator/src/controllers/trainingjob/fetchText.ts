import { fetchTextWithin } from '../../measure/fetchText.ts';

/** A pod that is slow, gone or talks too much costs two seconds and no more, and is never an error. */
export const fetchText = fetchTextWithin(2_000);
