/** Uniform whole numbers below a bound. */
export type RandomBelow = (bound: number) => number;

/**
 * A generator that gives the same numbers for the same digest, so that a verdict can be computed again and come out the
 * same. sfc32 by Chris Doty-Humphrey (PractRand), seeded with the first 96 bits of the digest.
 */
export function randomFromDigest(digest: string): RandomBelow {
  const hex = digest.replace(/^sha256:/, '').padEnd(24, '0');
  let [a, b, c] = [0, 8, 16].map((at) => Number.parseInt(hex.slice(at, at + 8), 16) | 0) as [number, number, number];
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first outputs still look like the seed.
  for (let i = 0; i < 12; i++) next();
  return (bound) => Math.floor((next() / 0x1_0000_0000) * bound);
}
