import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { manifestText } from '../../manifest.ts';
import { fetchArtifact, openArtifact } from '../openArtifact.ts';
import { withStore } from '../openStore.ts';
import { putReports } from '../putReports.ts';
import type { Delivery, Store } from '../store.ts';
import { failureOf, type Ground, localFiles, placeAt } from './ground.ts';

const SIZES = { 'model.onnx': 300_000, 'evaluation/predictions.jsonl': 12, 'tokenizer/a b.txt': 0 };
const MODEL = 'flights';

/** What every store does, whatever it is made of. `open` makes an empty one. */
export function storeContract(kind: string, open: () => Promise<Ground>): void {
  describe(`a store in ${kind}`, () => {
    let ground: Ground;
    let shipped: Awaited<ReturnType<typeof localFiles>>;
    const use = <T>(work: (store: Store) => Promise<T>) =>
      withStore(placeAt(ground, ground.root), ground.context, work);
    const put = (files = shipped.files, claim = 'signed') =>
      use((store) => store.put(ground.root, { model: MODEL, files, claim: () => claim }));
    const fetched = async ({ uri, manifest }: Pick<Delivery, 'uri' | 'manifest'>) => {
      const into = await temporaryFolder('into');
      const hash = await fetchArtifact(placeAt(ground, uri), manifest.digest, into, ground.context);
      return { into, hash };
    };
    const modelEntry = () =>
      shipped.entries.find(({ path }) => path === 'model.onnx') as { path: string; sha256: string };
    const damaged = (uri: string) => ground.fileOf(uri, modelEntry());

    beforeEach(async () => {
      [ground, shipped] = await Promise.all([open(), localFiles(SIZES)]);
    });

    it('gives back what was put, under a name that its digest decides', async () => {
      const delivery = await put();
      expect(delivery.isNew).toBe(true);
      expect(delivery.manifest).toEqual({ digest: shipped.digest, files: shipped.entries });
      expect(delivery.uri.startsWith(`${ground.root}/${MODEL}`)).toBe(true);
      expect(await use((store) => store.manifest(delivery.uri))).toEqual(delivery.manifest);
      const { into, hash } = await fetched(delivery);
      expect(hash.digest).toBe(shipped.digest);
      for (const { path, from } of shipped.files)
        expect(await readFile(join(into, path))).toEqual(await readFile(from));
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([delivery.uri]);
    });

    it('does nothing when the same content is put again', async () => {
      const first = await put();
      const second = await put(shipped.files, 'signed again');
      expect(second).toEqual({ ...first, isNew: false });
      expect(await use((store) => store.claims(first.uri))).toBe('signed\n');
    });

    it('keeps signatures beside the artifact and outside its digest, and brings them along', async () => {
      const { uri, manifest } = await put();
      await use((store) => store.addClaim(uri, 'countersigned'));
      expect(await use((store) => store.claims(uri))).toBe('signed\ncountersigned\n');
      const opened = await openArtifact(placeAt(ground, uri), manifest.digest, ground.context);
      expect(opened.hash.digest).toBe(manifest.digest);
      expect(await readFile(join(opened.dir, 'claims.jsonl'), 'utf8')).toBe('signed\ncountersigned\n');
      await opened.close();
    });

    it('shows nothing of a put that could not be ended', async () => {
      const files = [...shipped.files, { path: 'z.bin', from: join(shipped.folder, 'gone') }];
      expect(await failureOf(put(files))).toMatchObject({
        reason: expect.stringMatching(/^(OutputInvalid|StoreUnavailable)$/),
      });
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([]);
      const delivery = await put();
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([delivery.uri]);
    });

    it('lets two publishers of the same content have one artifact', async () => {
      const [one, other] = await Promise.all([put(), put()]);
      expect(one.uri).toBe(other.uri);
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([one.uri]);
      expect((await fetched(one)).hash.digest).toBe(shipped.digest);
    });

    it('names an artifact that is not there', async () => {
      const { uri } = await put();
      const other = uri.replace(/[0-9a-f]{64}$/, 'ab'.repeat(32));
      expect(await failureOf(fetched({ uri: other, manifest: { digest: shipped.digest, files: [] } }))).toMatchObject({
        reason: 'ArtifactMissing',
        message: expect.stringContaining(other),
      });
    });

    it.each([
      ['changed', 'DigestMismatch', (path: string) => writeFile(path, Buffer.alloc(300_000, 1))],
      ['truncated', 'DigestMismatch', (path: string) => truncate(path, 1000)],
      ['emptied', 'DigestMismatch', (path: string) => truncate(path, 0)],
      ['missing', 'ArtifactMissing', (path: string) => rm(path)],
      ['lengthened', 'DigestMismatch', (path: string) => truncate(path, 300_001)],
    ] as const)('names a file that was %s', async (_what, reason, damage) => {
      const delivery = await put();
      await damage(damaged(delivery.uri));
      const failure = await failureOf(fetched(delivery));
      expect(failure.reason).toBe(reason);
      expect(failure.message).toContain(kind === 'oci' ? '' : 'model.onnx');
    });

    it('fetches nothing of an artifact that is too large', async () => {
      const { uri, manifest } = await put();
      const into = await temporaryFolder('into');
      const context = { ...ground.context, maxBytes: 1000 };
      expect(await failureOf(fetchArtifact(placeAt(ground, uri), manifest.digest, into, context))).toMatchObject({
        reason: 'ArtifactOversized',
        message: expect.stringContaining('300012 bytes or more, and 1000 may be fetched'),
      });
    });

    it('fetches nothing of an artifact with another digest than was asked for', async () => {
      const { uri } = await put();
      const asked = { digest: `sha256:${'0'.repeat(64)}`, files: [] };
      expect((await failureOf(fetched({ uri, manifest: asked }))).reason).toBe('DigestMismatch');
    });

    it('puts reports beside an artifact, in place of older ones', async () => {
      const { uri, manifest } = await put();
      const place = placeAt(ground, uri);
      await putReports(place, 'flights-1.0.0', { 'report.json': '{"old":1}', 'card.md': '# old' }, ground.context);
      const reports = await putReports(
        place,
        'flights-1.0.0',
        { 'report.json': '{}', 'card.md': '# new' },
        ground.context,
      );
      // sha256 of {}.
      expect(reports.digest).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
      const card = await use(async (store) => {
        const { base, files } = await store.list(reports.uri);
        const file = files.find(({ path }) => path === 'card.md');
        return text(await store.read(base, file ?? { path: 'card.md' }, 0));
      });
      expect(card).toBe('# new');
      expect((await fetched({ uri, manifest })).hash.digest).toBe(manifest.digest);
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([uri]);
    });

    it('takes an artifact away, with its reports left, and once more without complaint', async () => {
      const delivery = await put();
      const reports = await putReports(
        placeAt(ground, delivery.uri),
        'flights-1.0.0',
        { 'report.json': '{}' },
        ground.context,
      );
      await use((store) => store.remove(delivery.uri));
      await use((store) => store.remove(delivery.uri));
      expect((await failureOf(fetched(delivery))).reason).toBe('ArtifactMissing');
      expect(await use((store) => store.artifacts(ground.root, MODEL))).toEqual([]);
      expect((await use((store) => store.list(reports.uri))).files).toHaveLength(1);
    });

    it('goes on with what an earlier fetch left, and keeps what is whole', async () => {
      const { uri, manifest } = await put();
      const into = await temporaryFolder('into');
      await fetchArtifact(placeAt(ground, uri), manifest.digest, into, ground.context);
      const before = ground.fileOf(uri, modelEntry());
      await rm(before);
      // The file is gone from the store, and it is not asked for again.
      const again = await fetchArtifact(placeAt(ground, uri), manifest.digest, into, ground.context);
      expect(again.digest).toBe(manifest.digest);
    });
  });
}

/** Writes an artifact like a program that knows no more than the manifest. */
export async function writeFolder(folder: string, shipped: Awaited<ReturnType<typeof localFiles>>): Promise<void> {
  for (const { path, from } of shipped.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), await readFile(from));
  }
  await writeFile(join(folder, 'manifest.json'), manifestText({ digest: shipped.digest, files: shipped.entries }));
}
