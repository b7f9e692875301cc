import * as z from 'zod';
import { cel, matches } from './cel.ts';

/**
 * A string of one format. The format is a CEL rule and no `pattern`, as the server answers a failed pattern with the
 * bare regular expression, and a failed rule with our sentence.
 */
const formatted = (max: number, pattern: RegExp, message: string) =>
  cel(z.string().max(max), matches(pattern, message));

/** A DNS label (RFC 1123): what every name that becomes part of a child's name must be. */
export const dnsLabel = (max: number) =>
  formatted(
    max,
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower-case letters, digits and -, starting and ending with a letter or digit, such as flight-delays',
  );

/** A parameter of a training run: it becomes the tail of an environment variable's name. */
export const parameterName = (max: number) =>
  formatted(
    max,
    /^[A-Za-z][A-Za-z0-9._-]*$/,
    'must start with a letter and hold letters, digits and . _ - only, such as learning-rate',
  );

const SEMVER = /(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)/;

export const semver = () =>
  formatted(
    32,
    RegExp(`^${SEMVER.source}$`),
    'must be a version of three numbers without prefix or suffix, such as 1.4.0',
  );

export const semverOrBump = () =>
  formatted(
    32,
    RegExp(`^(NextMajor|NextMinor|NextPatch|${SEMVER.source})$`),
    'must be NextMajor, NextMinor or NextPatch, or a version of three numbers such as 1.4.0',
  );

export const digest = () =>
  formatted(71, /^sha256:[0-9a-f]{64}$/, 'must be sha256: followed by 64 lower-case hexadecimal digits');

const DURATION = /^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$/;

/** A duration of whole units, largest first: 90s, 10m, 1h30m, 7d. Months and fractions are refused. */
export const duration = () =>
  cel(z.string().max(32), {
    rule: `self != '' && ${matches(DURATION, '').rule}`,
    message: 'must be whole days, hours, minutes and seconds, largest first, such as 90s, 10m, 1h30m or 7d',
    holds: (self) => self !== '' && DURATION.test(self),
  });

/** How long a free engine may wait for more requests: less than anybody waits for an answer. */
export const batchDelay = () =>
  formatted(8, /^([0-9]{1,4}ms|[0-9]s)$/, 'must be milliseconds, or seconds below 10, such as 5ms or 1s');

/** How long a request may take: above nothing, below the longest that the server knows. */
export const requestTimeout = () =>
  formatted(8, /^([1-9][0-9]{0,5}ms|[1-9][0-9]{0,2}s)$/, 'must be whole milliseconds or seconds, such as 500ms or 30s');

/** A share of all requests, e.g. 1% or 0.5%. A string: a float in a spec changes when a client re-encodes it. */
export const percent = () =>
  formatted(
    8,
    /^(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,4})?)%$/,
    'must be a percentage from 0% to 100% with at most four decimals, in quotes, such as "1%" or "0.5%"',
  );

/** A decimal number as a string. */
export const decimal = () =>
  formatted(24, /^-?[0-9]+(\.[0-9]+)?$/, 'must be a decimal number in quotes, such as "0.80"');

/** A point in time with its zone. */
export const dateTime = () =>
  formatted(
    32,
    /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/,
    'must be a time of RFC 3339 with its zone, such as 2030-01-31T09:00:00Z',
  );

const HOURS = /^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

/**
 * A part of each day. Its end may lie before its beginning: then it is on the next day. Where they are one, half of all
 * readers take it for the whole day and half for none of it.
 */
export const hours = () =>
  cel(z.string().max(11), {
    rule: `${matches(HOURS, '').rule} && self.substring(0, 5) != self.substring(6)`,
    message: 'must be two different times of day, such as 09:00-17:00',
    holds: (self) => HOURS.test(self) && self.slice(0, 5) !== self.slice(6),
  });

/** A name of the IANA time zone database. Whether it exists is known only to the operator. */
export const timeZone = () =>
  formatted(
    64,
    /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/,
    'must be an IANA time zone, such as Europe/Berlin or UTC',
  );

/** A size of effect above zero. */
export const effect = () =>
  formatted(
    12,
    /^(0\.[0-9]{1,6}|[1-9][0-9]{0,3}(\.[0-9]{1,6})?)$/,
    'must be a positive decimal in quotes, such as "0.2"',
  );

/** How much two numbers that mean the same may differ. */
export const tolerance = () =>
  formatted(
    24,
    /^[0-9]+(\.[0-9]+)?(e-?[0-9]{1,2})?$/,
    'must be a number of at least 0 in quotes, such as "0.001" or "1e-3"',
  );

/** Address of an HTTP server in the cluster or outside. */
export const httpUrl = () =>
  formatted(
    512,
    /^https?:\/\/[^\s/?#]+[^\s]*$/,
    'must be an http or https address, such as http://prometheus.monitoring:9090',
  );

/** How sure a verdict must be: at least as sure as a coin, never certain. */
export const confidence = () =>
  formatted(8, /^0\.[5-9][0-9]{0,5}$/, 'must be a decimal from 0.5 to below 1 in quotes, such as "0.999"');

export const quantity = () =>
  formatted(
    32,
    /^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/,
    'must be a Kubernetes quantity, such as 500m, 2, 512Mi or 10Gi',
  );

const DOT_SEGMENT = /\/\.\.?(\/|$)/;

const STORE = {
  pvc: 'pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[A-Za-z0-9._-]+)*/?',
  s3: 's3://[a-z0-9][-a-z0-9.]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?',
  oci: 'oci://[a-z0-9][-a-z0-9.]*(:[0-9]{1,5})?(/[a-z0-9._-]+)+/?',
  http: 'https?://[A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?',
} as const;

/** An artifact has a folder of its own in its claim or bucket: the root is the store itself. */
const WITH_FOLDER = { ...STORE, pvc: STORE.pvc.replace(')*/?', ')+/?'), s3: STORE.s3.replace(')*/?', ')+/?') };

/** A place of files: `.` and `..` are refused, as they would leave the folder that is named. */
const placeUri = (max: number, places: readonly string[], tail: string, message: string) => {
  const uri = RegExp(`^(${places.join('|')})${tail}$`.replaceAll('/', '\\/'));
  return cel(z.string().max(max), {
    rule: `${matches(uri, '').rule} && !${matches(DOT_SEGMENT, '').rule}`,
    message,
    holds: (self) => uri.test(self) && !DOT_SEGMENT.test(self),
  });
};

/** Where models are published: a claim, a bucket or a repository. */
export const storeUri = (max: number) =>
  placeUri(
    max,
    [STORE.pvc, STORE.s3, STORE.oci],
    '',
    'must be a store to write to: pvc://<claim>[/<folder>], s3://<bucket>[/<prefix>] or oci://<registry>/<repository>',
  );

/** Where one artifact lies. */
export const artifactUri = (max: number) =>
  placeUri(
    max,
    [WITH_FOLDER.pvc, WITH_FOLDER.s3, STORE.oci, STORE.http],
    '(@sha256:[0-9a-f]{64})?',
    'must be the folder of an artifact, without . and .. in the path: pvc://<claim>/<folder>, s3://<bucket>/<prefix>, oci://<registry>/<repository>@sha256:<digest> or https://<host>/<folder>',
  );

/** Where a data set lies: a folder, or one file. */
export const datasetUri = (max: number) =>
  placeUri(
    max,
    [STORE.pvc, STORE.s3, STORE.http],
    '',
    'must be a folder or file: pvc://<claim>/<path>, s3://<bucket>/<path> or https://<host>/<path>',
  );

/** A time table of five fields. Whether each number exists is known only to the operator. */
export const cronSchedule = () =>
  formatted(
    64,
    /^(@(hourly|daily|weekly|monthly)|[0-9*,/A-Za-z-]+( +[0-9*,/A-Za-z-]+){4})$/,
    'must be five cron fields (minute hour day month weekday), such as 0 3 * * 1, or @daily',
  );

/** A list whose order and duplicates carry meaning: replaced whole by server-side apply. */
export const atomicList = <T extends z.ZodType>(item: T, max: number, min = 0) =>
  z.array(item).min(min).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });

/** A list of objects told apart by a key: merged entry by entry by server-side apply. */
export const mapList = <T extends z.ZodType>(item: T, max: number, ...keys: string[]) =>
  z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });

export const stringMap = (maxEntries: number, maxValue: number) =>
  z.record(z.string(), z.string().max(maxValue)).meta({ maxProperties: maxEntries });

/** Of a status: which spec it tells of. Whoever finds it behind metadata.generation waits for the next status. */
export const observedGeneration = () =>
  z.int().min(0).meta({ format: 'int64' }).optional().describe('metadata.generation this status is for.');
