/**
 * Whom a network address stands for. An IPv6 caller owns a /64 at least and can take any address in it, so these count
 * as one; an IPv4 address that came over IPv6 is the IPv4 address.
 */
export function callerAt(address: string): string {
  if (!address.includes(':')) return address;
  const plain = address.split('%', 1)[0] as string;
  if (plain.toLowerCase().startsWith('::ffff:') && plain.includes('.')) return plain.slice(7);
  const [head = '', tail] = plain.split('::') as [string, string?];
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left.slice(0, 4).join(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
