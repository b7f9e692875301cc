import { existsSync } from 'node:fs';
import { KUBECONFIG } from '../ground/ground.ts';
import { report } from './report.ts';
import { measurePlacement } from './trainingPlacement.ts';
import { measurePublishing } from './trainingPublish.ts';
import { measureStart } from './trainingStart.ts';

const jobs = Number(process.env['JOBS'] ?? 1000);
/** The local cluster, where it is up with the operator in it. */
const cluster = process.env['KUBECONFIG'] ?? KUBECONFIG;
const started = existsSync(cluster) ? await measureStart(cluster) : [];
await report('training', [...started, ...(await measurePublishing()), ...(await measurePlacement(jobs))]);
