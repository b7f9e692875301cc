import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Official builds of ONNX Runtime send usage data unless this is set before the first session. */
const env = {
  ORT_DISABLE_TELEMETRY: '1',
  // For the processes that tests start: what one has read of our TypeScript, the next need not compile.
  NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache/compile'),
};
const exclude = ['**/node_modules/**', '**/dist/**', '.cluster/**', '.cache/**'];

/**
 * What changes nothing of a process and asks nothing of its memory: what these files import is read once for all of them,
 * which is half of what most of them cost. A file that starts a program, measures memory or keeps a socket open stays out.
 */
const shared = [
  '{operator,crds,hack}/**/*.test.ts',
  'charts/tests/readme.test.ts',
  'e2e/{ground,load,story}/**/*.test.ts',
  'e2e/docs/{drift,firstRollout,peers,placement,trainingContainer}Page.test.ts',
  'runtime/agent/progress.test.ts',
  'runtime/artifact/*.test.ts',
  'runtime/artifact/{signing,stores}/**/!(secured|webStore).test.ts',
  'runtime/evaluator/**/!(publish).test.ts',
  'runtime/evaluator/publish{Links,Tensors}.test.ts',
  'runtime/onnx/model.test.ts',
  'runtime/prepare/!(prepare).test.ts',
  'runtime/trainer/**/!(main).test.ts',
  'runtime/server/{config,log,roster,settings,settingsShown,stopSignals}.test.ts',
  'runtime/server/access/!(open|tls).test.ts',
  'runtime/server/evidence/**/!(server).test.ts',
  'runtime/server/engine/{cores,sessionPlan}.test.ts',
  'runtime/server/observe/{keyedHash,room}.test.ts',
  'runtime/server/observe/{logging,tracing}/*.test.ts',
  'runtime/server/observe/shadow/{judge,message}.test.ts',
  'runtime/server/{batching,models,pipeline,protocol,sessions}/**/*.test.ts',
  'runtime/server/grpc/{head,fuzz}.test.ts',
  'runtime/server/grpc/{http2,messages}/**/*.test.ts',
  'runtime/server/rest/{acceptEncoding,bodyGate,parsers.fuzz}.test.ts',
  'runtime/server/rest/lane/plainHead.test.ts',
];

const onCluster = {
  exclude,
  environment: 'node',
  env,
  globalSetup: ['e2e/ground/setup.ts'],
  testTimeout: 600_000,
  hookTimeout: 600_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            ...exclude,
            ...shared,
            '**/*.{integration,kueue}.test.ts',
            'e2e/{scenarios,alone,long,container,cuda,stores,pytorch}/**',
          ],
          environment: 'node',
          env,
          setupFiles: ['hack/verification/propertySeed.ts'],
          // Some start real processes: five seconds is no time on a busy machine, and no test waits longer to pass.
          testTimeout: 30_000,
        },
      },
      {
        // The files of shared, one after the other in the same two processes.
        test: {
          name: 'unit-shared',
          include: shared,
          exclude: [...exclude, '**/*.{integration,kueue}.test.ts'],
          environment: 'node',
          env,
          setupFiles: ['hack/verification/propertySeed.ts'],
          testTimeout: 30_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude,
          environment: 'node',
          env,
          setupFiles: ['hack/verification/propertySeed.ts', 'hack/local-cluster/ownControlPlane.ts'],
          globalSetup: ['hack/local-cluster/vitestControlPlane.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each with an API server of its own: most of their time is spent on waiting for one.
          maxWorkers: 2,
          // A worker's files share its API server already; that they share what they import saves a second of each.
          isolate: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        // The real Kueue, which Go takes long to build once, beside the real Job controller and scheduler.
        test: {
          name: 'kueue',
          include: ['**/*.kueue.test.ts'],
          exclude,
          environment: 'node',
          env,
          // Half a minute at a desk each, minutes on a busy machine of two cores; and Kueue is built before the first.
          testTimeout: 600_000,
          hookTimeout: 3_600_000,
        },
      },
      {
        test: {
          name: 'container',
          include: ['e2e/container/**/*.test.ts'],
          exclude,
          environment: 'node',
          env,
          globalSetup: ['e2e/container/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // The CUDA image where there is no GPU: long, and not part of `make test`.
        test: {
          name: 'cuda',
          include: ['e2e/cuda/**/*.test.ts'],
          exclude,
          environment: 'node',
          env,
          globalSetup: ['e2e/cuda/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        // Real servers of S3 and OCI: once for all files, a bucket and a repository for each test.
        test: {
          name: 'stores',
          include: ['e2e/stores/**/*.test.ts'],
          exclude,
          environment: 'node',
          env,
          globalSetup: ['e2e/stores/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 600_000,
        },
      },
      {
        // Real PyTorch in processes of this machine; fetches torch (540 MB) once.
        test: {
          name: 'pytorch',
          include: ['e2e/pytorch/local/**/*.test.ts'],
          exclude,
          environment: 'node',
          env,
          // Thirty seconds at a desk each; two ranks of torch on a busy machine of two cores take minutes.
          testTimeout: 900_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
      {
        // The same in pods: its image holds torch.
        test: {
          ...onCluster,
          name: 'e2e-pytorch',
          include: ['e2e/pytorch/cluster/**/*.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
      {
        // Side by side, each in a namespace of its own: most of their time is spent on pods that start.
        test: {
          ...onCluster,
          name: 'e2e',
          include: ['e2e/scenarios/**/*.test.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What takes the cluster or the operator down, or is timed.
        test: {
          ...onCluster,
          name: 'e2e-alone',
          include: ['e2e/alone/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // Twenty of each, and the deaths of others: too long for every change.
        test: {
          ...onCluster,
          name: 'e2e-long',
          include: ['e2e/long/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
