/** The operator with one controller: without nodes a ModelVersion could never become Ready by itself. */
import { controllers } from '@slipway/operator/controllers/all.ts';
import { runFromEnvironment } from '@slipway/operator/entry.ts';

await runFromEnvironment((config) => controllers(config).filter(({ name }) => name === 'inferenceservice'));
