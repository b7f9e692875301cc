/** The operator with one controller: nothing publishes or verifies where no container runs. */
import { controllers } from '@slipway/operator/controllers/all.ts';
import { runFromEnvironment } from '@slipway/operator/entry.ts';

await runFromEnvironment((config) => controllers(config).filter(({ name }) => name === 'trainingjob'));
