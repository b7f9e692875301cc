import { STAGES, type Stage } from '@slipway/crds';
import type { GuardedStage } from '../../src/domain/registry/facts.ts';
import type { Target } from '../target.ts';
import { UsageError } from '../usageError.ts';

export const CARD_FORMATS = ['text', 'md', 'html'] as const;
export type CardFormat = (typeof CARD_FORMATS)[number];

/** What a person asks about a ModelVersion, or of one. */
export type RegistryAct =
  | { readonly verb: 'card'; readonly format: CardFormat }
  | { readonly verb: 'verify'; readonly timeoutSeconds: number }
  | { readonly verb: 'lineage' | 'history' }
  | { readonly verb: 'setStage'; readonly stage: Stage }
  | { readonly verb: 'approveVersion'; readonly stage: GuardedStage | undefined; readonly comment: string | undefined };

export interface RegistryFlags {
  readonly stage: string | undefined;
  readonly html: boolean | undefined;
  readonly md: boolean | undefined;
  readonly comment: string | undefined;
}

const stageIn = <S extends Stage>(text: string, stages: readonly S[], example: string): S => {
  const stage = stages.find((s) => s.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw new UsageError(`"${text}" is no stage: write --stage= one of ${stages.join(', ')}, as in ${example}`);
};

function formatOf({ html, md }: RegistryFlags): CardFormat {
  if (html === true && md === true) throw new UsageError('card is written once: give --html or --md, not both');
  return html === true ? 'html' : md === true ? 'md' : 'text';
}

/** Reads a verb that is about a version. undefined: it is about something else. */
export function readRegistryAct(
  verb: string,
  { kind, name }: Target,
  flags: RegistryFlags,
  timeoutSeconds: () => number,
): RegistryAct | undefined {
  if (verb === 'card') return { verb, format: formatOf(flags) };
  if (verb === 'verify') return { verb, timeoutSeconds: timeoutSeconds() };
  if (verb === 'lineage' || verb === 'history') return { verb };
  if (verb === 'archive') return { verb: 'setStage', stage: 'Archived' };
  if (kind !== 'ModelVersion') return undefined;
  const example = `kubectl slipway ${verb} mv/${name} --stage=Production`;
  const { stage, comment } = flags;
  if (verb === 'approve') {
    const wanted = stage === undefined ? undefined : stageIn(stage, ['Staging', 'Production'], example);
    return { verb: 'approveVersion', stage: wanted, comment };
  }
  if (verb !== 'promote') return undefined;
  if (stage === undefined) throw new UsageError(`promote of a version needs a stage: write ${example}`);
  return { verb: 'setStage', stage: stageIn(stage, STAGES, example) };
}
