import { controllers } from './controllers/all.ts';
import { runFromEnvironment } from './entry.ts';

await runFromEnvironment(controllers);
