import { isMainThread } from 'node:worker_threads';
import { forbidTelemetry } from '../onnx/telemetry.ts';

/** One module for the process and its engine threads, so that a bundle is one file. Each loads only its own half. */
if (isMainThread) {
  forbidTelemetry();
  const { serve } = await import('./serve.ts');
  await serve(process.env, new URL(import.meta.url));
} else {
  const { work } = await import('./worker.ts');
  await work();
}
