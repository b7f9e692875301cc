import * as z from 'zod';
import { Failure } from '../../failure.ts';
import { jsonOf } from '../../json.ts';
import { bothOrNone, type Credentials } from '../credentials.ts';
import { answerFailure, type WebClient } from '../web/webClient.ts';

interface Login {
  readonly username: string;
  readonly password: string;
  /** A refresh token stands for the password. */
  readonly identityToken?: string | undefined;
}

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const dockerConfigSchema = z.object({ auths: z.record(z.string(), entrySchema) });

/**
 * The login for a registry: of .dockerconfigjson, or username and password. Undefined: anybody. Throws Failure
 * CredentialsRefused for a Secret that holds one for other registries only, or none that can be read.
 */
export function loginOf(credentials: Credentials, registry: string): Login | undefined {
  const config = credentials['.dockerconfigjson'];
  if (config === undefined) {
    const pair = bothOrNone(credentials, 'username', 'password');
    return pair === undefined ? undefined : { username: pair[0], password: pair[1] };
  }
  const parsed = dockerConfigSchema.safeParse(jsonOf(config));
  if (!parsed.success)
    throw new Failure('CredentialsRefused', '.dockerconfigjson of the Secret is not the configuration of Docker.');
  const hostOf = (key: string) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  const found = Object.entries(parsed.data.auths).find(([key]) => hostOf(key) === registry)?.[1];
  if (found === undefined)
    throw new Failure('CredentialsRefused', `.dockerconfigjson of the Secret has no entry for ${registry}.`);
  const [username = '', ...rest] = Buffer.from(found.auth ?? '', 'base64')
    .toString()
    .split(':');
  return {
    username: found.username ?? username,
    password: found.password ?? rest.join(':'),
    identityToken: found.identitytoken,
  };
}

/** `Bearer realm="https://auth",service="s"` as its fields. */
const challengeOf = (header: string): { scheme: string; fields: Readonly<Record<string, string>> } => {
  const [scheme = '', ...rest] = header.split(' ');
  const fields = [...rest.join(' ').matchAll(/([a-zA-Z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]);
  return { scheme: scheme.toLowerCase(), fields: Object.fromEntries(fields) };
};

const basic = ({ username, password }: Login): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * Answers the challenge of a registry (distribution spec, token authentication): basic, or a token that is fetched from
 * the realm that it names, with the login if there is one. Undefined where no login would help.
 */
export async function authorizationFor(
  header: string,
  scope: string,
  login: Login | undefined,
  client: WebClient,
): Promise<string | undefined> {
  const { scheme, fields } = challengeOf(header);
  if (scheme === 'basic') return login === undefined ? undefined : basic(login);
  const { realm, service } = fields;
  if (scheme !== 'bearer' || realm === undefined) return undefined;
  const url = new URL(realm);
  const asked = { scope, ...(service === undefined ? {} : { service }) };
  const answer =
    login?.identityToken === undefined
      ? await client.ask(withQuery(url, asked), login === undefined ? {} : { headers: { authorization: basic(login) } })
      : await client.ask(String(url), {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: String(
            new URLSearchParams({ ...asked, grant_type: 'refresh_token', refresh_token: login.identityToken }),
          ),
        });
  if (answer.status !== 200) throw await answerFailure(url.origin, answer);
  const read = tokenSchema.safeParse(jsonOf(await answer.body.text()));
  const token = read.data?.token ?? read.data?.access_token;
  if (token === undefined) throw new Failure('StoreUnavailable', `${url.origin} answers without a token.`);
  return `Bearer ${token}`;
}

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

function withQuery(url: URL, query: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return String(url);
}
