import {
  type ModelSettings,
  modelSettingsSchema,
  type ServingSettings,
  servingSettingsSchema,
} from '@slipway/crds/serving';
import * as z from 'zod';
import { Failure } from '../artifact/failure.ts';

/** The settings as they hold for everything, and for each model by its name. */
export interface Settings {
  readonly serving: ServingSettings;
  readonly of: (model: string) => ModelSettings;
}

/**
 * Reads the settings document; undefined or empty text is `{}`. `origin` names where it came from. Throws Failure
 * ConfigurationInvalid with the path of the first bad field and what it takes.
 */
export function parseSettings(text: string | undefined, origin: string): Settings {
  const document = text === undefined || text.trim() === '' ? {} : jsonOf(text, origin);
  const serving = checked(servingSettingsSchema, document, origin, []);
  const general: Json = Object.fromEntries(
    Object.keys(modelSettingsSchema.shape).flatMap((key) => {
      const value = serving[key as keyof ModelSettings];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const single = new Map(
    Object.entries(serving.models).map(([name, override]) => {
      const merged = isRecord(override) ? merge(general, override) : override;
      return [name, checked(modelSettingsSchema, merged, origin, ['models', name])];
    }),
  );
  const others = checked(modelSettingsSchema, general, origin, []);
  return { serving, of: (model) => single.get(model) ?? others };
}

/** Refuses settings for a model that is not there: a misspelt name would leave the real one with the defaults. */
export function refuseStrangers({ serving }: Settings, names: readonly string[]): void {
  const stranger = Object.keys(serving.models).find((name) => !names.includes(name));
  if (stranger === undefined) return;
  throw new Failure(
    'ConfigurationInvalid',
    `The settings name the model "${stranger}", which is not here; here is ${names.map((name) => `"${name}"`).join(', ')}.`,
  );
}

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects are merged, everything else is replaced. */
const merge = (general: Json, override: Json): Json => ({
  ...general,
  ...Object.fromEntries(
    Object.entries(override).map(([key, value]) => {
      const under = general[key];
      return [key, isRecord(under) && isRecord(value) ? merge(under, value) : value];
    }),
  ),
});

function jsonOf(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('ConfigurationInvalid', `${origin} must be a JSON object with serving settings.`);
  }
}

function checked<S extends z.ZodType>(
  schema: S,
  document: unknown,
  origin: string,
  prefix: readonly string[],
): z.output<S> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const path = [...prefix, ...issue.path].join('.');
  const known = issue.code === 'unrecognized_keys' ? `; it takes ${keysAt(schema, issue.path).join(', ')}` : '';
  const subject = path === '' ? origin : `${origin}: ${path}`;
  throw new Failure('ConfigurationInvalid', `${subject}: ${issue.message}${known}.`);
}

/** The fields of the object at a path of a schema. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const key of path) at = shapeOf(at)[String(key)];
  return Object.keys(shapeOf(at));
}

/** Defaults and optional marks are wrappers around what they are about. */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  const inner =
    schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
      ? schema.unwrap()
      : undefined;
  return inner === undefined ? {} : shapeOf(inner);
}
