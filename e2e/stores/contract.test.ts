import { storeContract } from '@slipway/runtime/artifact/stores/testing/contract.ts';
import { ociGround, s3Ground } from './grounds.ts';

storeContract('s3', () => s3Ground());
storeContract('oci', () => ociGround());
