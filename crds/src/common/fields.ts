import * as z from 'zod';

/** A DNS label (RFC 1123): what every name that becomes a child's name must be. */
export const dnsLabel = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

export const semver = () =>
  z
    .string()
    .max(32)
    .regex(/^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$/);

export const digest = () =>
  z
    .string()
    .max(71)
    .regex(/^sha256:[0-9a-f]{64}$/);

/** A duration of whole units, largest first: 90s, 10m, 1h30m, 7d. Months and fractions are refused. */
export const duration = () =>
  z
    .string()
    .min(2)
    .max(32)
    .regex(/^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$/);

/** A share of all requests, e.g. 1% or 0.5%. A string: a float in a spec changes when a client re-encodes it. */
export const percent = () =>
  z
    .string()
    .max(8)
    .regex(/^(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,4})?)%$/);

/** A decimal number as a string. */
export const decimal = () =>
  z
    .string()
    .max(24)
    .regex(/^-?[0-9]+(\.[0-9]+)?$/);

export const quantity = () =>
  z
    .string()
    .max(32)
    .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/);

/** A list whose order and duplicates carry meaning: replaced whole by server-side apply. */
export const atomicList = <T extends z.ZodType>(item: T, max: number) =>
  z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });

/** A list of objects told apart by a key: merged entry by entry by server-side apply. */
export const mapList = <T extends z.ZodType>(item: T, max: number, ...keys: string[]) =>
  z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });

export const stringMap = (maxEntries: number, maxValue: number) =>
  z.record(z.string(), z.string().max(maxValue)).meta({ maxProperties: maxEntries });
