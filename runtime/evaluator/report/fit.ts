import { encodeReport } from '@slipway/crds';
import type { GateResult, VerificationReport } from '@slipway/crds/contract';

/** Digits that a status shows. */
const DIGITS = 6;
const LENGTHS = [320, 200, 140, 100, 70, 40, 0];

const rounded = (gate: GateResult): GateResult => {
  const round = (value: number) => (Math.abs(value) === Number.MAX_VALUE ? value : Number(value.toPrecision(DIGITS)));
  return { ...gate, value: round(gate.value), low: round(gate.low), high: round(gate.high) };
};

const cut = (message: string, length: number): string =>
  message.length <= length ? message : length === 0 ? '' : `${message.slice(0, length - 1)}…`;

/** Names of columns are in the artifact's own signature; the status shows none. */
const withoutColumns = (report: VerificationReport): VerificationReport => {
  const plain = (tensors: VerificationReport['signature']['inputs']) =>
    tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
  return { ...report, signature: { inputs: plain(report.signature.inputs), outputs: plain(report.signature.outputs) } };
};

/**
 * The report with as much of its sentences as a termination message holds: digits that nobody reads go first, then names
 * of columns, then the ends of sentences. A verdict is never left out.
 */
export function fitted(report: VerificationReport): VerificationReport {
  const steps = [
    () => report,
    () => ({ ...report, gates: report.gates.map(rounded) }),
    ...LENGTHS.map((length) => () => ({
      ...withoutColumns(report),
      gates: report.gates.map((gate) => ({ ...rounded(gate), message: cut(gate.message, length) })),
    })),
  ];
  const fitting = steps.map((step) => step()).find((candidate) => encodeReport(candidate) !== undefined);
  return fitting ?? report;
}
