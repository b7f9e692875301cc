import { describe, expect, test } from 'vitest';
import { type PodFacts, pod } from '../../../test/trainingBuilders.ts';
import { failuresOf } from '../workload/podEnd.ts';
import { causeText } from './cause.ts';
import { causeOf } from './classify.ts';

const causeIn = (...facts: PodFacts[]) =>
  causeOf(
    failuresOf(
      facts.map((f, index) => pod({ index, phase: 'Failed', ...f })),
      'prepare',
      'train',
    ),
    'prepare',
  );
const said = (reason: string) =>
  JSON.stringify({ schema: 'slipway.dev/termination/v1', reason, message: 'as it was told' });

describe('the class of a pod that failed', () => {
  const cases: Record<string, { given: PodFacts; want: object; says?: RegExp }> = {
    'a program that ended by itself': {
      given: { exitCode: 1, message: 'KeyError: label' },
      want: { class: 'UserError', reason: 'UserError', exitCode: 1, nodeToBlame: false },
      says: /nightly-a0-0 failed \(exit code 1\): KeyError: label/,
    },
    'a signal by its name': { given: { exitCode: 139 }, want: { class: 'UserError' }, says: /exit code 139, SIGSEGV/ },
    'a worker without shared memory, with what helps': {
      given: { exitCode: 1, message: 'Signal 7 (SIGBUS) received by PID 12' },
      want: { class: 'UserError' },
      says: /\/dev\/shm/,
    },
    'the cause that a trainer of ours names is the reason': {
      given: { exitCode: 1, message: said('ConfigurationInvalid') },
      want: { class: 'UserError', reason: 'ConfigurationInvalid' },
    },
    'killed over its limit': { given: { exitCode: 137, reason: 'OOMKilled' }, want: { class: 'OutOfMemory' } },
    'another SIGKILL is none': { given: { exitCode: 137, reason: 'Error' }, want: { class: 'UserError' } },
    'memory of the accelerator, which no restart brings back': {
      given: { exitCode: 1, message: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB' },
      want: { class: 'OutOfMemory', remedy: expect.stringContaining('minMemory') },
    },
    'an Xid of the machine blames the node': {
      given: {
        exitCode: 1,
        message: 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.',
        node: 'gpu-7',
      },
      want: { class: 'AcceleratorFault', nodeToBlame: true, node: 'gpu-7' },
      says: /Xid 79/,
    },
    'an Xid that a wrong access of the program leaves behind does not': {
      given: { exitCode: 1, message: 'NVRM: Xid (PCI:0000:3b:00): 31, pid=1, MMU Fault' },
      want: { class: 'UserError', nodeToBlame: false },
    },
    'an uncorrectable ECC error outranks the NCCL error that it caused': {
      given: { exitCode: 1, message: 'NCCL error: unhandled cuda error: uncorrectable ECC error encountered' },
      want: { class: 'AcceleratorFault' },
    },
    'kubernetes#97131: a device that the kubelet could not give': {
      given: { podReason: 'UnexpectedAdmissionError', statusMessage: 'Allocate failed: no healthy devices' },
      want: { class: 'AcceleratorFault', nodeToBlame: true },
    },
    NCCL: {
      given: { exitCode: 1, message: 'ncclRemoteError: A call failed possibly due to a network error' },
      want: { class: 'Communication' },
    },
    gloo: {
      given: { exitCode: 1, message: '[gloo/transport/tcp/pair.cc:598] Connection closed by peer [10.0.0.2]:1' },
      want: { class: 'Communication' },
    },
    'torch gave up waiting for the others': {
      given: {
        exitCode: 1,
        message: 'DistStoreError: Timed out after 1801 seconds waiting for clients. 1/2 clients joined.',
      },
      want: { class: 'Rendezvous' },
    },
    'the start of the pod gave up waiting for the others': {
      given: { container: 'prepare', exitCode: 1, message: said('Rendezvous') },
      want: { class: 'Rendezvous', reason: 'Rendezvous' },
    },
    'data that is not what it should be': {
      given: { container: 'prepare', exitCode: 1, message: said('DatasetInvalid') },
      want: { class: 'DatasetInvalid', remedy: expect.stringContaining('digest') },
    },
    'data that is not there': {
      given: { container: 'prepare', exitCode: 1, message: said('DatasetMissing') },
      want: { class: 'StartFailed', reason: 'DatasetMissing', remedy: undefined },
    },
    'a store that is away disrupts, and costs no restart of the training': {
      given: { container: 'prepare', exitCode: 1, message: said('StoreUnavailable') },
      want: { class: 'Disrupted', reason: 'StoreUnavailable', remedy: undefined },
    },
    'an exit code of ours is none that the user may call fatal': {
      given: { container: 'prepare', exitCode: 1, message: said('Rendezvous') },
      want: { class: 'Rendezvous', exitCode: undefined },
    },
    'evicted by the API': {
      given: { disrupted: 'drained' },
      want: { class: 'Disrupted' },
      says: /was evicted.*: drained/,
    },
    preempted: {
      given: { disrupted: 'x', disruptedBy: 'PreemptionByScheduler', exitCode: 143 },
      want: { class: 'Disrupted' },
      says: /higher priority/,
    },
    'its node taken away': {
      given: { disrupted: 'x', disruptedBy: 'DeletionByTaintManager' },
      want: { class: 'NodeLost' },
    },
    'evicted by a node under pressure': {
      given: { podReason: 'Evicted', statusMessage: 'The node was low on resource: memory.' },
      want: { class: 'Disrupted' },
    },
    'evicted over a limit of its own is its own doing, on any node': {
      given: {
        podReason: 'Evicted',
        statusMessage: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.',
      },
      want: { class: 'UserError' },
    },
    'a node that shuts down': {
      given: { podReason: 'Terminated', statusMessage: 'imminent node shutdown' },
      want: { class: 'Disrupted' },
    },
    'a node without room': { given: { podReason: 'OutOfcpu' }, want: { class: 'Disrupted' } },
    'an activeDeadlineSeconds of the template': {
      given: { podReason: 'DeadlineExceeded' },
      want: { class: 'UserError' },
    },
    'deleted by hand': { given: { exitCode: 143, deleted: '2026-01-01T00:00:00Z' }, want: { class: 'AttemptLost' } },
    'an end that nothing explains': { given: {}, want: { class: 'Disrupted', exitCode: undefined } },
  };
  test.each(Object.entries(cases))('%s', (_name, { given, want, says = /./ }) => {
    const cause = causeIn(given.exitCode === undefined ? { waiting: { reason: 'PodInitializing' }, ...given } : given);
    expect(cause).toMatchObject(want);
    expect(cause && causeText(cause)).toMatch(says);
  });
});

const at = (seconds: number): string => new Date(Date.parse('2026-01-01T00:00:00Z') + 1000 * seconds).toISOString();

describe('the cause among the pods of a gang', () => {
  test('kubeflow/trainer#1579: the pod that died first is the cause, not those that hung until they were told to stop', () => {
    expect(
      causeIn({ exitCode: 143, finishedAt: at(9) }, { exitCode: 7, finishedAt: at(5), message: 'bad row' }),
    ).toMatchObject({ class: 'UserError', pod: 'nightly-a0-1', exitCode: 7 });
  });

  test('a peer that lost its connection is an echo, also when its clock is a little ahead', () => {
    expect(
      causeIn(
        { exitCode: 1, finishedAt: at(5), message: 'Connection reset by peer' },
        { exitCode: 137, finishedAt: at(8), reason: 'OOMKilled' },
      ),
    ).toMatchObject({ class: 'OutOfMemory', pod: 'nightly-a0-1' });
  });

  test('a failure long after is another story: the network was the cause', () => {
    expect(
      causeIn(
        { exitCode: 1, finishedAt: at(5), message: 'Connection reset by peer' },
        { exitCode: 1, finishedAt: at(60), message: 'ValueError: shutdown twice' },
      ),
    ).toMatchObject({ class: 'Communication', pod: 'nightly-a0-0' });
  });

  test('where all are echoes the first is told', () => {
    expect(
      causeIn({ exitCode: 1, finishedAt: at(2), message: 'NCCL error' }, { exitCode: 143, finishedAt: at(1) }),
    ).toMatchObject({ pod: 'nightly-a0-1', class: 'UserError', exitCode: 143 });
  });

  test('pods that did not fail have no cause', () => {
    expect(causeOf([], 'prepare')).toBeUndefined();
  });
});
