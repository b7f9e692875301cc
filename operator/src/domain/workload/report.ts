import { decodeReport } from '@slipway/crds';
import {
  PREPARED_SCHEMA,
  type PreparedReport,
  PUBLISH_SCHEMA,
  type PublishReport,
  TERMINATION_SCHEMA,
  type Termination,
  VERIFICATION_SCHEMA,
  type VerificationReport,
} from '@slipway/crds/contract';

/** The report of a publisher that ended well; undefined when the message is none. */
export function publishReport(message: string | undefined): PublishReport | undefined {
  const report = decodeReport(message ?? '');
  return report?.schema === PUBLISH_SCHEMA ? report : undefined;
}

/** The report of a container that prepared its pod well; undefined when the message is none. */
export function preparedReport(message: string | undefined): PreparedReport | undefined {
  const report = decodeReport(message ?? '');
  return report?.schema === PREPARED_SCHEMA ? report : undefined;
}

/** The report of a verifier that ended well; undefined when the message is none. */
export function verificationReport(message: string | undefined): VerificationReport | undefined {
  const report = decodeReport(message ?? '');
  return report?.schema === VERIFICATION_SCHEMA ? report : undefined;
}

/** The cause that a container of ours named as it died; undefined for any other text. */
export function termination(message: string | undefined): Termination | undefined {
  const report = decodeReport(message ?? '');
  return report?.schema === TERMINATION_SCHEMA ? report : undefined;
}
