import type { TrainingJob } from '@slipway/operator/api/kinds.ts';
import { TRAINER_IMAGE, tinyTraining } from './manifests.ts';

/**
 * Steps at a fixed pace, with a checkpoint every few, on any number of nodes: a death then always finds it where a test
 * wants it. Pod 0 trains for real at its end, so that what is published is a model that passes its gates.
 */
const PACED = `
  const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
  const { spawn } = require('node:child_process');
  process.on('SIGTERM', () => process.exit(143));
  const { env } = process, total = Number(env.STEPS), resume = env.SLIPWAY_RESUME_FROM + '/step';
  function save(step) {
    const folder = env.SLIPWAY_CHECKPOINT_DIR + '/' + step, aside = folder + '.tmp';
    mkdirSync(aside, { recursive: true });
    writeFileSync(aside + '/step', String(step));
    writeFileSync(aside + '/_COMPLETE', '');
    if (!existsSync(folder)) renameSync(aside, folder);
  }
  function report(step) {
    const path = env.SLIPWAY_STATUS_DIR + '/progress.json';
    writeFileSync(path + '.next', JSON.stringify({ step, total, metrics: { loss: 1 / step } }));
    renameSync(path + '.next', path);
  }
  (async () => {
    let step = existsSync(resume) ? Number(readFileSync(resume, 'utf8')) : 0;
    console.log('begins after step ' + step);
    while (step < total) {
      await new Promise((done) => setTimeout(done, 200));
      report(++step);
      if (env.RANK === '0' && step % 5 === 0) save(step);
    }
    if (env.RANK !== '0') return;
    const { SLIPWAY_CHECKPOINT_DIR, SLIPWAY_RESUME_FROM, ...rest } = env;
    const trainer = spawn(process.execPath, ['/app/train.mjs'], {
      env: { ...rest, SLIPWAY_STATUS_DIR: '/tmp' },
      stdio: 'inherit',
    });
    trainer.on('exit', (code) => process.exit(code ?? 1));
  })();
`;

/** Twelve seconds of them: long enough to be met in the middle. */
export const PACED_STEPS = 60;

/** A job that makes its steps at a fixed pace and resumes from its checkpoints. It trains a model of its own name. */
export const pacedTraining = (namespace: string, name: string, over: object = {}): TrainingJob =>
  tinyTraining(namespace, name, {
    model: { name },
    image: TRAINER_IMAGE,
    command: ['node', '-e', PACED],
    env: [{ name: 'STEPS', value: String(PACED_STEPS) }],
    // One machine: several pods of it can share a claim that only one node may mount.
    workspace: { claim: { accessMode: 'ReadWriteOnce' } },
    ...over,
  });

/** A checkpoint lies behind it, and most of the run before it. */
export const MIDWAY = 10;
export const isMidway = ({ status }: TrainingJob): boolean => (status?.progress?.step ?? 0) >= MIDWAY;
