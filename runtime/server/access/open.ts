import type { ServingSettings } from '@slipway/crds/serving';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import { type Access, accessBy } from './access.ts';
import { KeyRing, parseKeys } from './apiKeys.ts';
import { RateLimit } from './rateLimit.ts';
import { Certificate } from './tls.ts';
import { WatchedFiles } from './watchedFiles.ts';

/** The kubelet needs a minute to swap a Secret: a second more is nothing, and three `stat`s a second cost nothing. */
const LOOK_EVERY_MS = 1000;

export interface AccessDependencies {
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** A changed file that can't be used; what was in use before still is. */
  readonly onFailure: (sentence: string) => void;
}

export interface OpenedAccess {
  /** Undefined: everybody may ask, as often as they like. */
  readonly access: Access | undefined;
  /** Undefined: the ports speak plain text. */
  readonly certificate: Certificate | undefined;
  /** Ends the watching of the files. */
  readonly close: () => void;
}

type Settings = Pick<ServingSettings, 'auth' | 'tls'> & { readonly limits: Pick<ServingSettings['limits'], 'rate'> };

/** Reads keys and certificate and goes on looking at their files. Throws Failure ConfigurationInvalid. */
export async function openAccess(settings: Settings, deps: AccessDependencies): Promise<OpenedAccess> {
  const keys = settings.auth && new KeyRing([]);
  const certificate = settings.tls && new Certificate();
  const { onFailure } = deps;
  const watched: WatchedFiles[] = [];
  if (settings.auth && keys) {
    const use = ([text = '']: readonly string[]) => keys.replace(parseKeys(text));
    watched.push(new WatchedFiles({ paths: [settings.auth.keysFile], use, onFailure }));
  }
  if (settings.tls && certificate) {
    const use = ([cert = '', key = '']: readonly string[]) => certificate.replace({ cert, key });
    watched.push(new WatchedFiles({ paths: [settings.tls.certFile, settings.tls.keyFile], use, onFailure }));
  }
  for (const files of watched) await files.start().catch(refuseToStart);
  const timer = watched.length > 0 ? setInterval(() => lookAll(watched), LOOK_EVERY_MS).unref() : undefined;
  const rate = settings.limits.rate && new RateLimit(settings.limits.rate);
  return { access: accessBy({ keys, rate, now: deps.now }), certificate, close: () => clearInterval(timer) };
}

const lookAll = (watched: readonly WatchedFiles[]): void => {
  for (const files of watched) void files.look();
};

function refuseToStart(error: unknown): never {
  if (error instanceof Failure) throw error;
  throw new Failure('ConfigurationInvalid', `A file of the settings can't be read: ${sentenceOf(error)}.`);
}
