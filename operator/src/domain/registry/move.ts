import type { Stage } from '@slipway/crds';
import { approversOf, joined } from './approvals.ts';
import { type Facts, isGuarded } from './facts.ts';
import { lackingFor } from './rules.ts';

/** A change of stage, as the history keeps it. `from` empty: the version is new. */
export interface Move {
  readonly from: Stage | '';
  readonly to: Stage;
  readonly reason: 'Registered' | 'Promoted' | 'Demoted' | 'Archived' | 'Restored';
  readonly by?: string;
  readonly message: string;
}

/** Going from Production to Staging gives nothing away, so nothing is asked for it. */
const isDemotion = ({ asked, reached }: Facts): boolean => asked === 'Staging' && reached === 'Production';

function promotion(facts: Facts, from: Stage, to: 'Staging' | 'Production'): Move {
  const approvers = facts.approval === undefined ? [] : approversOf(facts, to);
  const approved = approvers.length === 0 ? '' : ` ${joined(approvers)} approved.`;
  return {
    from,
    to,
    reason: from === 'Archived' ? 'Restored' : 'Promoted',
    ...(approvers.length === 0 ? {} : { by: approvers.join(', ') }),
    message: `${facts.digest.slice(0, 19)} is verified. ${facts.gates.message}${approved}`,
  };
}

/** The step that a version takes now. undefined: it is where it is asked to be, or lacks something. */
export function moveOf(facts: Facts): Move | undefined {
  const { name, asked, reached } = facts;
  if (reached === undefined) {
    return { from: '', to: 'Candidate', reason: 'Registered', message: `${name} was registered.` };
  }
  if (asked === reached) return undefined;
  if (asked === 'Archived') {
    return { from: reached, to: asked, reason: 'Archived', message: 'No new rollout to it starts.' };
  }
  if (isDemotion(facts) || asked === 'Candidate') {
    const reason = reached === 'Archived' ? 'Restored' : 'Demoted';
    return { from: reached, to: asked, reason, message: 'spec.stage asks for it.' };
  }
  if (!isGuarded(asked) || lackingFor(facts, asked) !== undefined) return undefined;
  return promotion(facts, reached, asked);
}
