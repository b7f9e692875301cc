import type { ModelVersion } from '../../src/api/kinds.ts';
import { isTrue } from '../render/conditions.ts';
import { gateLines } from '../render/modelVersion.ts';
import { COLUMNS, wrap } from '../render/text.ts';

/** What a verification that was asked for came to. undefined: it is not through. */
export type Verdict = { readonly passed: boolean; readonly lines: readonly string[] } | undefined;

const told = ({ status }: ModelVersion, type: string): string =>
  status?.conditions?.find((c) => c.type === type)?.message ?? `${type} is not told.`;

/** Read from the status alone, so that whoever asks twice gets the same answer. */
export function verdictOn(version: ModelVersion, ask: string): Verdict {
  const { status, metadata } = version;
  if (status?.verifiedFor !== ask) return undefined;
  const sound = isTrue(status.conditions, 'Verified');
  const sentences = sound ? [told(version, 'Verified'), told(version, 'GatesPassed')] : [told(version, 'Verified')];
  return {
    passed: sound && isTrue(status.conditions, 'GatesPassed'),
    lines: [
      `ModelVersion ${metadata.namespace}/${metadata.name}`,
      ...(sound ? gateLines(status) : []),
      ...sentences.flatMap((sentence) => wrap(sentence, COLUMNS - 2).map((line) => `  ${line}`)),
    ],
  };
}
