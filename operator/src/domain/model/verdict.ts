import type { Condition, ModelVersionStatus } from '@slipway/crds';
import type { GateResult, VerificationReport } from '@slipway/crds/contract';

import { decimalText } from '../decimal.ts';

type GateStatus = NonNullable<ModelVersionStatus['gates']>[number];
export type Findings = Pick<ModelVersionStatus, 'files' | 'bytes' | 'signature' | 'gates' | 'reports'>;

/** JSON has no infinity: the verifier writes the largest number for a bound that nobody knows. */
const bound = (value: number): string => (Math.abs(value) === Number.MAX_VALUE ? 'none' : decimalText(value));

const gateStatus = ({ name, verdict, value, low, high, limit, n, message }: GateResult): GateStatus => ({
  name,
  verdict,
  value: bound(value),
  low: bound(low),
  high: bound(high),
  limit: decimalText(limit),
  n,
  message,
});

/** What the verifier measured, as the status shows it. */
export const findingsOf = ({ files, bytes, signature, gates, reports }: VerificationReport): Findings => ({
  files,
  bytes,
  signature,
  gates: gates.map(gateStatus),
  ...(reports === undefined ? {} : { reports }),
});

/** The gate's own sentence names metric, slice, rival, unit and what would decide it. */
const told = ({ name, verdict, value, low, high, limit, n, message }: GateStatus): string =>
  message === ''
    ? `${name} ${verdict} (${value}, 95 % interval ${low} to ${high} against ${limit}, n=${n})`
    : `${name} ${verdict} (${message})`;

export type GatesVerdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** All gates as one condition: a gate that fails outweighs one that needs more samples. */
export function gatesVerdict(gates: readonly GateStatus[], wanted: number): GatesVerdict {
  const named = (verdict: GateStatus['verdict']): GateStatus[] => gates.filter((gate) => gate.verdict === verdict);
  const [failed, undecided] = [named('Fail'), named('NeedMore')];
  const text = [...failed, ...undecided].map(told).join('; ');
  if (failed.length > 0) return { status: 'False', reason: 'GateFailed', message: `Gates not passed: ${text}.` };
  if (undecided.length > 0) {
    return { status: 'False', reason: 'NeedMoreSamples', message: `Too few samples to say: ${text}.` };
  }
  if (gates.length < wanted) {
    const message = `The verifier judged ${gates.length} of ${wanted} gates.`;
    return { status: 'False', reason: 'GatesMissing', message };
  }
  if (wanted === 0) return { status: 'True', reason: 'NoGates', message: 'The version declares no gates.' };
  return { status: 'True', reason: 'AllGatesPassed', message: `All ${wanted} gates pass.` };
}
