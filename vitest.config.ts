import { defineConfig } from 'vitest/config';

/** Official builds of ONNX Runtime send usage data unless this is set before the first session. */
const env = { ORT_DISABLE_TELEMETRY: '1' };
const exclude = ['**/node_modules/**', '**/dist/**', '.cluster/**', '.cache/**'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.integration.test.ts', 'e2e/scenarios/**', 'e2e/container/**'],
          environment: 'node',
          env,
          setupFiles: ['hack/verification/propertySeed.ts'],
          // Some start real processes: five seconds is no time on a busy machine, and no test waits longer to pass.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude,
          environment: 'node',
          env,
          setupFiles: ['hack/verification/propertySeed.ts'],
          globalSetup: ['hack/local-cluster/vitestControlPlane.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
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
        test: {
          name: 'e2e',
          include: ['e2e/scenarios/**/*.test.ts'],
          exclude,
          environment: 'node',
          env,
          globalSetup: ['e2e/scenarios/setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
