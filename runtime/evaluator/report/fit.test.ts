import { decodeReport, encodeReport } from '@slipway/crds';
import type { GateResult, VerificationReport } from '@slipway/crds/contract';
import { describe, expect, it } from 'vitest';
import { fitted } from './fit.ts';

/** Numbers and words as hard to compress as real ones. */
const noise = (i: number) => Math.abs(Math.sin(i * 12.9898) * 43758.5453) % 1;
const words = (i: number, length: number) =>
  Array.from({ length: length / 6 }, (_, k) => Math.floor(noise(i * 97 + k) * 36 ** 5).toString(36))
    .join(' ')
    .slice(0, length);

const reportOf = (gates: number, length: number, columns = 0): VerificationReport => ({
  schema: 'slipway.dev/verification/v1',
  digest: `sha256:${'a'.repeat(64)}`,
  files: 7,
  bytes: 123_456,
  signature: {
    inputs: [
      {
        name: 'x',
        datatype: 'FP32',
        shape: [-1, columns],
        ...(columns > 0 ? { columns: Array.from({ length: columns }, (_, i) => words(i, 12)) } : {}),
      },
    ],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  },
  gates: Array.from(
    { length: gates },
    (_, i): GateResult => ({
      name: `gate-${i}`,
      verdict: 'Pass',
      value: noise(i),
      low: noise(i + 40),
      high: noise(i + 80),
      limit: 0.8,
      n: 1000 + i,
      message: words(i, length),
    }),
  ),
  reports: { uri: 'pvc://models/flights/sha256-aa.reports/flights-1.4.0', digest: `sha256:${'b'.repeat(64)}` },
});

describe('a report of many gates', () => {
  it.each([
    [32, 120],
    [32, 250],
    [32, 510],
    [12, 510],
  ])('of %i gates with sentences of %i letters fits a termination message, verdicts and all', (gates, length) => {
    const message = encodeReport(fitted(reportOf(gates, length)));
    expect(message).toBeDefined();
    expect(decodeReport(message ?? '')).toMatchObject({
      gates: Array.from({ length: gates }, (_, i) => ({ name: `gate-${i}`, verdict: 'Pass', n: 1000 + i })),
      reports: { digest: `sha256:${'b'.repeat(64)}` },
    });
  });

  it('keeps its sentences whole where they fit', () => {
    const report = reportOf(4, 200);
    expect(fitted(report)).toEqual(report);
  });

  it('leaves names of columns out before it shortens a sentence to nothing', () => {
    const { signature, gates } = fitted(reportOf(4, 200, 2000));
    expect(signature.inputs[0]?.columns).toBeUndefined();
    expect(gates[0]?.message).toBe(reportOf(4, 200).gates[0]?.message);
  });

  it('keeps a bound that is unknown apart from one that is large', () => {
    const report = reportOf(32, 500);
    const [first, ...rest] = report.gates;
    const open = { ...report, gates: [{ ...(first as GateResult), high: Number.MAX_VALUE }, ...rest] };
    expect(fitted(open).gates[0]?.high).toBe(Number.MAX_VALUE);
  });
});
