import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUBLISH_SCHEMA, TERMINATION_SCHEMA, VERIFICATION_SCHEMA } from './contract.ts';
import { decodeReport, encodeReport, type Report, TERMINATION_MESSAGE_BYTES } from './report.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const verification = (gates: number, message: (gate: number) => string): Report => ({
  schema: VERIFICATION_SCHEMA,
  digest,
  files: 7,
  bytes: 123_456,
  signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }], outputs: [] },
  gates: Array.from({ length: gates }, (_, i) => ({
    name: `gate-${i}`,
    verdict: 'Pass' as const,
    value: 0.5 + i / 1000,
    low: 0.4,
    high: 0.6,
    limit: 0.3,
    n: 8000,
    message: message(i),
  })),
});

describe('a report as termination message', () => {
  it('comes back as it was, however many gates it has, and fits', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.string({ maxLength: 60, unit: 'grapheme' }), (gates, text) => {
        const report = verification(gates, () => text);
        const message = encodeReport(report);
        expect(Buffer.byteLength(message ?? '')).toBeLessThanOrEqual(TERMINATION_MESSAGE_BYTES);
        expect(decodeReport(message ?? '')).toEqual(report);
      }),
    );
  });

  it('is plain JSON while that fits, so that kubectl shows it', () => {
    const published: Report = { schema: PUBLISH_SCHEMA, uri: 'pvc://models/m', digest, files: 1, bytes: 1 };
    expect(encodeReport(published)).toBe(JSON.stringify(published));
  });

  it('is refused when even compression does not make it fit', () => {
    expect(encodeReport(verification(64, () => randomBytes(200).toString('hex')))).toBeUndefined();
  });
});

describe('a message that is no report', () => {
  it.each([
    ['of another program', 'panic: runtime error'],
    ['empty', ''],
    ['of another schema', '{"schema":"example.com/v1"}'],
    ['cut short', JSON.stringify(verification(3, () => 'x')).slice(0, 300)],
    ['that claims to be compressed and is not', 'gz:hello'],
    ['that unpacks to far more than it may', `gz:${gzipSync(Buffer.alloc(64 << 20, 32)).toString('base64')}`],
    ['with a reason too long', JSON.stringify({ schema: TERMINATION_SCHEMA, reason: 'x'.repeat(200), message: '' })],
  ])('%s decodes to nothing', (_what, message) => {
    expect(decodeReport(message)).toBeUndefined();
  });
});
