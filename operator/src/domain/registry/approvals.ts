import type { Cause, Facts, GuardedStage } from './facts.ts';

/** People who must approve, each of another name. */
const NEEDED = { Required: 1, TwoPeople: 2 } as const;

type Asked = Pick<Facts, 'approval' | 'approvals' | 'digest'>;

/** Who approved just these files for a stage, each once, in the order they did. An approval of another digest is void. */
export const approversOf = ({ approvals, digest }: Omit<Asked, 'approval'>, stage: GuardedStage): string[] => [
  ...new Set(approvals.filter((a) => a.stage === stage && a.digest === digest).map(({ by }) => by)),
];

export const joined = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What is owed before a stage, with the command that gives it. undefined: nothing is. */
export function missingApproval(facts: Asked & Pick<Facts, 'name'>, stage: GuardedStage): Cause | undefined {
  const { name, approval } = facts;
  if (approval === undefined) return undefined;
  const given = approversOf(facts, stage);
  if (given.length >= NEEDED[approval]) return undefined;
  const command = `kubectl slipway approve mv/${name} --stage=${stage}`;
  const needs =
    approval === 'Required'
      ? `${name} needs the approval of a person for ${stage}`
      : `${name} needs the approvals of two people for ${stage}`;
  const so = given.length === 0 ? '' : ` and has that of ${joined(given)}; somebody else writes`;
  return { reason: 'AwaitingApproval', message: `${needs}${so}: ${command}` };
}
