import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import { tls } from '../nodeHttp.ts';

export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What every secure port of ours is opened with. TLS 1.2 is the oldest that is not broken (RFC 8996). */
export const secureOptions = ({ cert, key }: CertificatePair): SecureContextOptions => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
});

/**
 * The certificate that the ports show, and the ports that show it. A new pair counts for connections made from then on
 * and disturbs none that is open.
 */
export class Certificate {
  #pair: CertificatePair | undefined;
  readonly #servers: Pick<TlsServer, 'setSecureContext'>[] = [];

  /** Throws Failure ConfigurationInvalid when certificate and key are not a pair; the old one then stays. */
  replace(pair: CertificatePair): void {
    const options = secureOptions(pair);
    // Node takes an empty text for none: every handshake would fail, and a file may be empty while it is rewritten.
    if (pair.cert === '' || pair.key === '') {
      throw new Failure('ConfigurationInvalid', 'The TLS certificate or its key is empty; both files need PEM.');
    }
    try {
      tls.createSecureContext(options);
    } catch (error) {
      throw new Failure('ConfigurationInvalid', `The TLS certificate and its key can't be used: ${sentenceOf(error)}.`);
    }
    this.#pair = pair;
    for (const server of this.#servers) server.setSecureContext(options);
  }

  /** The pair to open a port with. */
  get pair(): CertificatePair {
    if (this.#pair) return this.#pair;
    throw new Error('the certificate has not been read yet');
  }

  /** From now on the server follows every new pair. */
  follow(server: Pick<TlsServer, 'setSecureContext'>): void {
    this.#servers.push(server);
  }
}
