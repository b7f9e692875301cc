import { describe, expect, test } from 'vitest';
import { placeNeeds, placeOf, placeText, placeVolumes } from './artifactSource.ts';

const ARTIFACT = 'pvc://models/flights/sha256-ab/';

describe('what a pod finds at its places', () => {
  test('a claim that is read is mounted whole, read-only, under its own name', () => {
    expect(placeVolumes([{ uri: ARTIFACT }])).toEqual({
      volumes: [{ name: 'claim-0', persistentVolumeClaim: { claimName: 'models', readOnly: true } }],
      mounts: [{ name: 'claim-0', mountPath: '/slipway/claims/models', readOnly: true }],
    });
  });

  test('a verifier can write the folder of reports, and nothing else of the claim', () => {
    expect(placeVolumes([{ uri: ARTIFACT, access: 'reports' }])).toEqual({
      volumes: [{ name: 'claim-0', persistentVolumeClaim: { claimName: 'models' } }],
      mounts: [
        { name: 'claim-0', mountPath: '/slipway/claims/models', readOnly: true },
        {
          name: 'claim-0',
          mountPath: '/slipway/claims/models/flights/sha256-ab.reports',
          subPath: 'flights/sha256-ab.reports',
        },
      ],
    });
  });

  test.each([
    ['pvc://models', { name: 'claim-0', mountPath: '/slipway/claims/models' }],
    ['pvc://models/a/b', { name: 'claim-0', mountPath: '/slipway/claims/models/a/b', subPath: 'a/b' }],
  ])('a publisher into %s can touch that folder only', (uri, mount) => {
    expect(placeVolumes([{ uri, access: 'publish' }]).mounts).toEqual([mount]);
  });

  test('who removes an artifact can touch the folder that it lies in', () => {
    expect(placeVolumes([{ uri: ARTIFACT, access: 'remove' }]).mounts).toEqual([
      { name: 'claim-0', mountPath: '/slipway/claims/models/flights', subPath: 'flights' },
    ]);
  });

  test('a claim and a Secret that are named often are mounted once', () => {
    const { volumes, mounts } = placeVolumes([
      { uri: 'pvc://models/a' },
      { uri: 'pvc://models/b' },
      { uri: 's3://bucket/a', secret: 'keys' },
      { uri: 'oci://registry/b', secret: 'keys' },
    ]);
    expect(volumes.map(({ name }) => name)).toEqual(['claim-0', 'credentials-0']);
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual(['/slipway/claims/models', '/slipway/credentials/keys']);
    expect(mounts.every(({ readOnly }) => readOnly)).toBe(true);
  });

  test('a Secret that is missing keeps no pod from starting: the container says its name', () => {
    expect(placeVolumes([{ uri: 's3://bucket/a', secret: 'keys' }]).volumes).toEqual([
      { name: 'credentials-0', secret: { secretName: 'keys', defaultMode: 0o440, optional: true } },
    ]);
  });

  test('a place elsewhere needs no volume at all', () => {
    expect(placeVolumes([{ uri: 'https://models.example.com/flights' }])).toEqual({ volumes: [], mounts: [] });
  });
});

test('what a pod needs is named, each once', () => {
  expect(placeNeeds([{ uri: ARTIFACT }, { uri: 'pvc://models/b' }, { uri: 's3://b/c', secret: 'keys' }])).toEqual({
    claims: ['models'],
    secrets: ['keys'],
  });
});

test('a place is told to the runtime without empty fields', () => {
  expect(placeText(placeOf('s3://b/c', undefined))).toBe('{"uri":"s3://b/c"}');
  expect(placeText(placeOf('s3://b/c', { name: 'keys' }))).toBe('{"uri":"s3://b/c","secret":"keys"}');
});
