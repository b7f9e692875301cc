import { report } from './report.ts';
import { measurePlacement } from './trainingPlacement.ts';

const jobs = Number(process.env['JOBS'] ?? 1000);
await report('training', await measurePlacement(jobs));
