import { forbidTelemetry } from '../onnx/telemetry.ts';
import { runTrainer } from './run.ts';

// Nothing is worth saving in mid-training: resuming starts over, so end at once instead of using up the grace period.
process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));

forbidTelemetry();
process.exitCode = await runTrainer({
  env: process.env,
  now: Date.now,
  say: (line) => console.log(line),
  complain: (line) => console.error(line),
});
