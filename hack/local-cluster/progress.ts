/** Writes one line about what is being done. */
export type Log = (line: string) => void;

/** Progress lines on stderr with the seconds since the start, so that stdout stays for results. */
export function progress(now: () => number = Date.now): Log {
  const start = now();
  return (line) => {
    process.stderr.write(`${((now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
  };
}

/** Says every 15 s that something slow still goes on. Call the returned function when it is over. */
export function heartbeat(log: Log, what: string): () => void {
  const start = Date.now();
  const timer = setInterval(() => log(`${what}: ${Math.round((Date.now() - start) / 1000)} s so far`), 15_000);
  return () => clearInterval(timer);
}
