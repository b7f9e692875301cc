import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { inferenceServices, modelVersions } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { KUBECONFIG } from '../ground/ground.ts';
import { OPERATOR, OPERATOR_NAMESPACE } from '../ground/install.ts';
import { versionOver } from '../story/manifests.ts';
import { podUids, sameBytesAs } from '../story/rollout.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';

const NAMESPACE = 'steering';
const STEPS = [{ weight: 20, for: '8s' }, { approval: true }, { weight: 100 }];
const WAIT_MS = 90_000;

let steady: Steady;
beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: STEPS });
});
afterAll(() => steady?.close());

/** Runs the command a user would, on the binary that `make build` made. */
async function slipway(...args: string[]): Promise<string> {
  const file = join(repositoryRoot, 'bin', 'kubectl-slipway');
  const { stdout } = await promisify(execFile)(file, [...args, '-n', NAMESPACE, '--kubeconfig', KUBECONFIG]);
  return stdout;
}

const serviceThat = (fits: Parameters<typeof awaitObject<typeof steady.service>>[3], what: string) =>
  awaitObject(steady.stage.ground.client, inferenceServices, keyIn(steady.stage, steady.service), fits, {
    what: `the service ${what}`,
    timeoutMs: WAIT_MS,
  });

describe('a rollout under way', () => {
  const pods = () => podUids(steady.stage, NAMESPACE, steady.trained.version.spec.version);
  const operatorPods = async (): Promise<string> =>
    steady.stage.ground.kubectl('-n', OPERATOR_NAMESPACE, 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}');
  let rolloutID: string | undefined;

  test('reaches its first weight', async () => {
    const { client } = steady.stage.ground;
    const next = versionOver(steady.trained.version, '7.0.0');
    await client.apply(modelVersions, next, { fieldManager: FIELD_MANAGER });
    await awaitGoal(client, modelVersions, keyIn(steady.stage, next), 'Ready', WAIT_MS);
    steady.traffic.allow(steady.trained.version.spec.version, '7.0.0');
    await client.merge(inferenceServices, keyIn(steady.stage, steady.service), { spec: sameBytesAs('7.0.0') });
    const service = await serviceThat((s) => s.status?.traffic?.programmed?.candidate === 2000, 'to reach 20 %');
    rolloutID = service.status?.rolloutID;
    expect(service.status?.candidate?.version).toBe('7.0.0');
  });

  test('survives the death of the operator: no pod restarts and the rollout goes on as itself', async () => {
    const { kubectl } = steady.stage.ground;
    const [stable, operators] = [await pods(), await operatorPods()];
    await kubectl('-n', OPERATOR_NAMESPACE, 'delete', 'pods', '--all', '--grace-period=0', '--force');
    await kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'status', OPERATOR, '--timeout=60s');
    const waiting = await serviceThat((s) => s.status?.candidate?.awaitingApproval === true, 'to await approval');
    expect(await operatorPods()).not.toBe(operators);
    expect(waiting.status?.rolloutID).toBe(rolloutID);
    expect(await pods()).toEqual(stable);
  });

  test('waits for a person, says what to type, and goes on when it was typed', async () => {
    const name = `infs/${steady.service.metadata.name}`;
    expect(await slipway('explain', name)).toContain(`kubectl slipway approve ${name}`);
    expect(await slipway('status', name)).toContain(`approval by a person: kubectl slipway approve ${name}`);
    await slipway('approve', name);
    await slipway('wait', name, '--for=RolloutComplete', '--timeout=60s');
    steady.traffic.allow('7.0.0');
    const service = await serviceThat((s) => s.status?.stable?.version === '7.0.0', 'to be promoted');
    expect(service.status?.rolloutID).toBe(rolloutID);
  });

  test('lost or misrouted no answer through any of it', async () => {
    await steady.traffic.hear(100);
    expect(steady.traffic.tally().unexcused.slice(0, 5)).toEqual([]);
  });
});
