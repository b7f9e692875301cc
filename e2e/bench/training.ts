import { report } from './report.ts';
import { measurePlacement } from './trainingPlacement.ts';
import { measurePublishing } from './trainingPublish.ts';

const jobs = Number(process.env['JOBS'] ?? 1000);
await report('training', [...(await measurePublishing()), ...(await measurePlacement(jobs))]);
