import { comparison, type Finding, verdictOf } from './verdict.ts';

/** Suffixes of a Kubernetes quantity. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

export function bytesOfQuantity(quantity: string): number {
  const [, digits = '', suffix = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(digits) * (UNITS[suffix] ?? Number.NaN);
}

/** Holds the size of the artifact, all its files, against a limit. Nothing is estimated. */
export function judgeSize(maxBytes: string, bytes: number, files: number): Finding {
  const limit = bytesOfQuantity(maxBytes);
  const verdict = verdictOf({ low: bytes, high: bytes }, limit, 'max');
  return {
    verdict,
    value: bytes,
    low: bytes,
    high: bytes,
    limit,
    n: files,
    message: `the artifact of ${files} files has ${bytes.toLocaleString('en')} bytes and ${comparison(verdict, 'max', maxBytes)}`,
    method: 'counted',
    facts: { unit: 'bytes' },
  };
}
