import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { atomicList, confidence, dateTime, duration, hours, mapList, timeZone } from '../common/fields.ts';
import { guardSchema } from './guards.ts';
import { stepsSchema } from './steps.ts';

export type { Guard } from './guards.ts';
export type { RolloutStep } from './steps.ts';

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** Compared as times, as they may be in two zones. A day that no month has is refused here as well. */
const endsAfterItBegins: CelRule<{ from: string; until: string }> = {
  rule: 'timestamp(self.from) < timestamp(self.until)',
  message: 'until must be after from',
  holds: ({ from, until }) => Date.parse(from) < Date.parse(until),
};

const windowSchema = z
  .object({
    days: atomicList(z.enum(WEEKDAYS), 7, 1).optional().describe('Days on which it may go on. Unset: every day.'),
    hours: hours()
      .optional()
      .describe('Hours in which it may go on, such as 09:00-17:00; 22:00-04:00 ends on the next day. Unset: all day.'),
    timeZone: timeZone().default('UTC').describe('IANA time zone of days and hours, such as Europe/Berlin.'),
    freezes: atomicList(
      cel(
        z.object({
          from: dateTime().describe('Beginning, RFC 3339.'),
          until: dateTime().describe('End, RFC 3339.'),
        }),
        endsAfterItBegins,
      ),
      32,
    )
      .optional()
      .describe('Times in which it may not go on, whatever days and hours say.'),
  })
  .describe(
    'When a rollout may begin and give the candidate more traffic. Outside it holds where it is; rollback is always open.',
  );

interface Rollout {
  steps: readonly { shadow?: number | undefined }[];
  guards?: readonly { disagreement?: unknown }[] | undefined;
}

const answersAreCompared: CelRule<Rollout> = {
  rule: '!has(self.guards) || !self.guards.exists(guard, has(guard.disagreement)) || self.steps.exists(step, has(step.shadow))',
  message:
    'a disagreement guard compares answers in shadow steps: add {shadow: 100, for: 10m} before the first weight, or remove the guard',
  holds: ({ steps, guards = [] }) =>
    !guards.some(({ disagreement }) => disagreement !== undefined) || steps.some(({ shadow }) => shadow !== undefined),
};

export const rolloutSchema = cel(
  z.object({
    steps: stepsSchema,
    bake: duration()
      .default('0s')
      .describe('Time the old version stays warm after the last step, guards still armed and the way back instant.'),
    startAt: dateTime().optional().describe('The rollout begins no earlier than this, RFC 3339.'),
    window: windowSchema.optional(),
    surge: z
      .enum(['Auto', 'Never'])
      .default('Auto')
      .describe(
        'Auto: the candidate gets pods beside those of the stable version. Never: it takes over pods one by one, for where no spare accelerator exists; while it does the service has fewer pods, and none for a moment if it has only one.',
      ),
    guards: mapList(guardSchema, 16, 'name')
      .optional()
      .describe('What the candidate is judged by, twice a second. One Fail rolls it back.'),
    observe: z
      .boolean()
      .optional()
      .describe('true: every guard is judged and shown, and none acts. To try limits out. Default false.'),
    onFail: z
      .enum(['RollBack', 'Hold'])
      .default('RollBack')
      .describe('What a guard that fails does. Hold: the weight stays, Stalled=True, until a person acts.'),
    onBlind: z
      .enum(['Hold', 'RollBack'])
      .default('Hold')
      .describe('What follows when a guard has seen nothing for the time of patience: source down, no traffic.'),
    onInconclusive: z
      .enum(['Hold', 'RollBack'])
      .default('Hold')
      .describe('What follows when a guard still needs more requests after the time of patience.'),
    secondOpinion: z
      .enum(['OnSuspicion', 'Never'])
      .optional()
      .describe(
        'OnSuspicion (default): while a guard on errors or invalidOutputs with max is in doubt about the candidate, the pods of the stable version copy live requests to it, up to 50 requests a second in all and for 15 s at most, and drop the answers: a fault shows sooner, and to fewer users. The candidate takes a copy only while it has nothing else to do. Needs a weight between 0 and 100. Never: write it where a copy of a request would do harm, as where answers have side effects.',
      ),
    patience: duration()
      .default('30m')
      .describe('Time from the beginning of a step until onBlind and onInconclusive act. Only for RollBack.'),
    confidence: z
      .object({
        fail: confidence()
          .default('0.999')
          .describe(
            'Confidence needed to fail a guard; the chance of a false rollback is at most 1 minus this, over the whole rollout and however often it is looked at.',
          ),
        pass: confidence().default('0.95').describe('Confidence needed to pass a guard.'),
      })
      .prefault({})
      .describe('How sure a verdict must be.'),
    progressDeadline: duration()
      .default('10m')
      .describe('Time a candidate has to become ready before it is rolled back.'),
  }),
  answersAreCompared,
).describe('How a new version takes over.');
