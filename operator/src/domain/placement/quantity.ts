const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Resources by name, in cores, bytes or pieces. */
export type Amounts = Readonly<Record<string, number>>;

/** A Kubernetes quantity (also 1e3, as the server may write it) as a number; 0 where it is none. */
export function quantityOf(text: string): number {
  const found = /^([0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(text.trim());
  const value = Number(found?.[1]) * (FACTORS[found?.[2] ?? ''] ?? Number.NaN);
  return Number.isNaN(value) ? 0 : value;
}

export const amountsOf = (quantities: Readonly<Record<string, string>> = {}): Amounts =>
  Object.fromEntries(Object.entries(quantities).map(([name, text]) => [name, quantityOf(text)]));

const short = (value: number): string => String(Number(value.toFixed(value < 1 ? 3 : 1)));

/** Bytes as a person writes memory: 40Gi, 79.6Gi, 512Mi. */
export const bytesText = (bytes: number): string =>
  bytes < 2 ** 30 ? `${short(bytes / 2 ** 20)}Mi` : `${short(bytes / 2 ** 30)}Gi`;

const BYTES = new Set(['memory', 'ephemeral-storage']);

/** An amount with its unit and name: 1.5 CPUs, 16Gi of memory, 8 nvidia.com/gpu. */
export function amountText(resource: string, amount: number): string {
  if (resource === 'cpu') return `${short(amount)} ${amount === 1 ? 'CPU' : 'CPUs'}`;
  if (BYTES.has(resource)) return `${bytesText(amount)} of ${resource}`;
  return `${short(amount)} ${resource}`;
}
