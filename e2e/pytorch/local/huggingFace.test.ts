import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { ensureTorchEnvironment } from '@slipway/hack/local-cluster/python/wheels.ts';
import { progressEnv } from '@slipway/operator/render/trainingAgent.ts';
import { ADMIN, ServerProcess } from '@slipway/runtime/test/serverProcess.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { expect, test } from 'vitest';
import { sampleJob } from './rank.ts';

test("kubeflow/trainer#2779: Hugging Face's Trainer, unmodified, reports its progress to the agent", async () => {
  const requirements = join(import.meta.dirname, 'transformers.txt');
  const bin = await ensureTorchEnvironment((line) => console.error(line), requirements);
  const statusDir = await temporaryFolder('status');
  const agent = await ServerProcess.start('../agent/main.ts', { SLIPWAY_STATUS_DIR: statusDir });
  const { port } = new URL(await agent.url('admin', '/'));
  const environment = Object.fromEntries(
    progressEnv(await sampleJob()).map(({ name, value = '' }) => [
      name,
      value.replace('127.0.0.1:9090', `127.0.0.1:${port}`).replace('/slipway/status', statusDir),
    ]),
  );
  const folder = await temporaryFolder('hf');
  await run(join(bin, 'python'), [join(import.meta.dirname, 'hf_trainer.py'), folder], { environment });
  const response = await agent.fetch('admin', '/slipway/v1/progress', { headers: ADMIN });
  expect(await response.json()).toMatchObject({
    step: 6,
    total: 6,
    source: 'Post',
    etaSeconds: 0,
    metrics: { loss: expect.any(Number), grad_norm: expect.any(Number), learning_rate: expect.any(Number) },
  });
  await agent.kill();
});
