import { forbidTelemetry } from '../onnx/telemetry.ts';
import { runTrainer } from './run.ts';
import { StopRequest } from './stopRequest.ts';

// In mid-training the last step is saved first; at any other time nothing is worth the grace period.
const stop = new StopRequest(() => process.exit(143));
process.on('SIGTERM', () => stop.ask());
process.once('SIGINT', () => process.exit(130));

forbidTelemetry();
process.exitCode = await runTrainer(
  {
    env: process.env,
    now: Date.now,
    say: (line) => console.log(line),
    complain: (line) => console.error(line),
  },
  stop,
);
