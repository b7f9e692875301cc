/** signal(7) of Linux, which every training pod runs on. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** An exit code in words: what a shell reports of a process that a signal ended is 128 and the signal's number. */
export function exitText(exitCode: number): string {
  const signal = SIGNALS[exitCode - 128];
  return signal === undefined ? `exit code ${exitCode}` : `exit code ${exitCode}, ${signal}`;
}

/** What a launcher such as torchrun says of the worker that it lost, with the usual cause of it. */
export const ELASTIC_WORDS: readonly { readonly pattern: RegExp; readonly says: string }[] = [
  {
    pattern: /Signal 7 \(SIGBUS\)|exitcode\s*: -7\b|Unexpected bus error|insufficient shared memory/i,
    says: ': a worker ran out of shared memory (mount a larger /dev/shm by podTemplate: an emptyDir with medium Memory)',
  },
  {
    pattern: /Signal 9 \(SIGKILL\)|exitcode\s*: -9\b/i,
    says: ': a worker was killed, mostly for want of memory',
  },
];
