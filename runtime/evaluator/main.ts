import { forbidTelemetry } from '../onnx/telemetry.ts';
import { runEvaluator } from './run.ts';

// As process 1 of a container nothing ends us unless we say so; a publish that is cut off leaves nothing visible.
process.once('SIGTERM', () => process.exit(143));

forbidTelemetry();
process.exitCode = await runEvaluator(process.argv[2], {
  env: process.env,
  now: Date.now,
  say: (line) => console.log(line),
  complain: (line) => console.error(line),
});
