import * as z from 'zod';
import { atomicList, duration } from '../common/fields.ts';

export const failureSchema = z
  .object({
    restarts: z
      .int()
      .min(0)
      .max(100)
      .meta({ format: 'int32' })
      .default(0)
      .describe(
        'Attempts after the first that failures of the training itself may cost. Each restarts every pod, from the newest complete checkpoint.',
      ),
    onDisruption: z
      .enum(['Restart', 'Fail'])
      .default('Restart')
      .describe(
        'What follows when pods are evicted, preempted or lose their node. Restart: another attempt, counted under disruptions and not under restarts.',
      ),
    disruptions: z
      .int()
      .min(0)
      .max(1000)
      .meta({ format: 'int32' })
      .default(20)
      .describe('Attempts that disruptions may cost.'),
    stallTimeout: duration()
      .optional()
      .describe(
        'Time without progress, pods running, after which the attempt counts as Stalled and is ended. Needs a trainer that reports progress. Unset: never.',
      ),
    startTimeout: duration()
      .default('10m')
      .describe('Time in which all pods of an attempt must find each other once the first runs; after it: Rendezvous.'),
    deadline: duration()
      .optional()
      .describe(
        'Time from the first start in which training must complete, restarts included (e.g. 6h); after it the job fails. Publishing may take longer. Unset: none.',
      ),
    fatalExitCodes: atomicList(z.int().min(1).max(255).meta({ format: 'int32' }), 32)
      .optional()
      .describe('Exit codes that no restart can cure: the job fails at once.'),
    excludeNodes: duration()
      .default('24h')
      .describe(
        'How long a node whose accelerator failed under this job is left out of its next attempts. 0s: never left out.',
      ),
  })
  .describe('What happens when an attempt fails.');
