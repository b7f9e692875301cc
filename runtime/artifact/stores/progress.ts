const EVERY_MS = 5_000;
const MIB = 1024 * 1024;

/** Counts bytes of a transfer and says every few seconds how far it is. */
export interface Meter {
  add(bytes: number): void;
  /** The last line: how much in how long. */
  done(): void;
}

const size = (bytes: number): string =>
  bytes >= 1024 * MIB ? `${(bytes / 1024 / MIB).toFixed(2)} GiB` : `${(bytes / MIB).toFixed(1)} MiB`;

/** "fetched 512.0 MiB of 1.00 GiB (50 %), 120.3 MB/s, 4 s left". A total of 0 is an unknown one. */
export function meter(
  verb: string,
  total: number,
  { say, now }: { say: (line: string) => void; now: () => number },
): Meter {
  const startedAt = now();
  let [done, saidAt] = [0, startedAt];
  const line = (ended: boolean): string => {
    const seconds = Math.max(0.001, (now() - startedAt) / 1000);
    const rate = `${(done / 1e6 / seconds).toFixed(1)} MB/s`;
    if (ended) return `${verb} ${size(done)} in ${seconds.toFixed(1)} s, ${rate}`;
    if (total === 0) return `${verb} ${size(done)}, ${rate}`;
    const left = done === 0 ? 'time left unknown' : `${Math.ceil(((total - done) / done) * seconds)} s left`;
    return `${verb} ${size(done)} of ${size(total)} (${Math.floor((100 * done) / total)} %), ${rate}, ${left}`;
  };
  return {
    add(bytes) {
      done += bytes;
      if (now() - saidAt < EVERY_MS) return;
      saidAt = now();
      say(line(false));
    },
    done: () => say(line(true)),
  };
}
