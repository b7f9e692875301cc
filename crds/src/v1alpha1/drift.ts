import * as z from 'zod';
import { atomicList, duration, effect, percent } from '../common/fields.ts';

const limits = () => ({
  psi: effect().optional().describe('Population stability index from which this feature counts as drifted.'),
  js: effect().optional().describe('Jensen-Shannon distance (base 2, 0 to 1) from which it counts as drifted.'),
  ks: effect()
    .optional()
    .describe('Kolmogorov-Smirnov distance over the bins (0 to 1) from which it counts as drifted.'),
});

/** The steady watch over the version that serves, whether a rollout is live or not. */
export const driftSchema = z
  .object({
    window: duration().default('1h').describe('Time whose requests are compared with the training data.'),
    psi: effect()
      .default('0.2')
      .describe(
        'Population stability index from which a feature or prediction counts as drifted, bias for the number of samples removed. 0.1 is small, 0.25 large.',
      ),
    js: effect().optional().describe('Jensen-Shannon distance (base 2, 0 to 1) from which it counts as drifted too.'),
    ks: effect()
      .optional()
      .describe('Kolmogorov-Smirnov distance over the bins (0 to 1) from which it counts as drifted too.'),
    falseAlarms: z
      .object({
        max: z.int().min(1).max(1000).meta({ format: 'int32' }).default(1).describe('Number of false alarms.'),
        per: duration().default('30d').describe('Time in which at most so many are to be expected.'),
      })
      .prefault({})
      .describe('Budget of false alarms of the whole service, over all features and looks.'),
    minSamples: z
      .int()
      .min(10)
      .max(1_000_000)
      .meta({ format: 'int32' })
      .default(200)
      .describe('Rows in the window below which nothing is said (InsufficientData).'),
    missing: percent()
      .default('10%')
      .describe(
        'Share of missing values of a feature beyond that of training. A feature that vanishes has no values whose distribution could drift, so this is always held.',
      ),
    outOfRange: percent().optional().describe('Share of values of a numeric feature outside the range of training.'),
    unseen: percent().optional().describe('Share of categories of a feature that training did not have.'),
    outliers: percent().optional().describe('Share of rows further from the training data than 99.9% of it were.'),
    accuracy: z
      .object({
        min: percent().describe('Share of labelled answers that must be right: the upper bound below it is a drift.'),
      })
      .optional()
      .describe('Late labels of the version that serves.'),
    calibration: z
      .object({
        max: percent().describe(
          'Expected calibration error, over ten bins of the probability of the predicted class: the lower bound above it is a drift.',
        ),
      })
      .optional()
      .describe(
        'How far the probabilities that the model tells are from the share of its answers that late labels find right. For classifiers that put out probabilities.',
      ),
    features: z
      .record(z.string(), z.object(limits()))
      .meta({ maxProperties: 64 })
      .optional()
      .describe('Limits of single features or predictions by name, each instead of the same limit above.'),
    ignore: atomicList(z.string().max(256), 64).optional().describe('Names of features that are not looked at.'),
    action: z
      .enum(['Alert', 'Retrain'])
      .default('Alert')
      .describe(
        'What a drift does. Alert: condition, Event, metric and notification. Retrain: that, and a retraining; needs spec.retrain.',
      ),
  })
  .describe(
    'Watch for inputs and predictions that leave what the model was trained on. Needs a baseline.json in the artifact.',
  );
export type DriftSpec = z.output<typeof driftSchema>;
