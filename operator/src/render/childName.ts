import { createHash } from 'node:crypto';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LONGEST = 63;
const HASH = 8;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, HASH);

/**
 * `<owner>-<suffix>` where that is a DNS label of at most `max` characters that a Service may bear too, else a readable
 * start of the owner's name and a hash of the whole of it. Names of custom resources may have dots and 253 characters;
 * cutting them off would let two owners share a child.
 */
export function childName(owner: string, suffix: string, max = LONGEST): string {
  const plain = `${owner}-${suffix}`;
  if (plain.length <= max && DNS_LABEL.test(plain)) return plain;
  const room = max - HASH - suffix.length - 2;
  const start = owner
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, room)
    .replace(/-+$/, '');
  return `${start || 'x'}-${hashOf(owner)}-${suffix}`;
}

/** The name itself where it fits a label value, else its start and a hash. The whole name stands in an annotation. */
export const labelValue = (name: string): string =>
  name.length <= LONGEST ? name : `${name.slice(0, LONGEST - HASH - 1).replace(/[-._]+$/, '')}-${hashOf(name)}`;
