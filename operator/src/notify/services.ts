import { NOTIFICATIONS, type NotificationType } from '@slipway/crds';
import type { InferenceService } from '../api/kinds.ts';
import type { HistoryEntry } from '../domain/rollout/world.ts';
import { type CloudEvent, decisionEvent, driftEvent } from './cloudEvent.ts';
import { type Account, type Pending, pendingIn } from './pending.ts';

const isAsked = ({ spec }: InferenceService, type: NotificationType): boolean =>
  (spec.notify?.events ?? NOTIFICATIONS).includes(type);
const typeOf = ({ type }: CloudEvent) => type.slice('dev.slipway.'.length) as NotificationType;

/** What there is to tell of a service: decisions of its rollouts, and drift while it lasts. */
export function accountOfService(about: InferenceService): Account<HistoryEntry> {
  const { history = [], notified, notifiedDrift } = about.status ?? {};
  const asked = (event: CloudEvent | undefined) =>
    event !== undefined && isAsked(about, typeOf(event)) ? event : undefined;
  const drift = asked(driftEvent(about));
  const isNews = drift !== undefined && drift.time !== notifiedDrift;
  return {
    history,
    notified,
    eventOf: (entry) => asked(decisionEvent(about, entry)),
    lasting: isNews ? { event: drift, after: { notifiedDrift: drift.time } } : undefined,
  };
}

export const pendingOf = (about: InferenceService, now: Date): Pending => pendingIn(accountOfService(about), now);
