import { runPrepare } from './run.ts';

// As process 1 of a container nothing ends us unless we say so; what is half fetched is taken up by the next attempt.
process.once('SIGTERM', () => process.exit(143));

process.exitCode = await runPrepare({
  env: process.env,
  now: Date.now,
  say: (line) => console.log(line),
  complain: (line) => console.error(line),
});
