/** The operator's own entry without any controller: what an election between processes needs. */
import { runFromEnvironment } from '../src/entry.ts';

await runFromEnvironment(() => []);
