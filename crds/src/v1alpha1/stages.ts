import * as z from 'zod';

/** Where a version may stand, in the order of trust. */
export const STAGES = ['Candidate', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

export const stageField = () => z.enum(STAGES).optional();

export const approvalField = () =>
  z
    .enum(['Required', 'TwoPeople'])
    .optional()
    .describe(
      'Whether people must approve before the version reaches Staging or Production: one (Required), or two who are not the same. Unset: nobody.',
    );
