import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../paths.ts';
import { recipeOf, USUAL } from './catalog.ts';

/** Paths that a Dockerfile copies out of the build context. */
const copied = (dockerfile: string): string[] =>
  [...readFileSync(join(repositoryRoot, dockerfile), 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .sort();

/** A stage of the runtime's Dockerfile that the other targets do not use. */
const ONLY_CUDA = ['hack/cudaProviders.ts'];

test.each([...USUAL, 'runtime-cuda'])(
  'every file that the image %s copies decides whether it is built anew',
  (name) => {
    const { dockerfile, sources } = recipeOf(name);
    const others = [
      dockerfile === 'Dockerfile.operator' ? 'runtime/' : 'operator/',
      ...ONLY_CUDA.filter(() => name !== 'runtime-cuda'),
    ];
    const missing = copied(dockerfile).filter(
      (path) =>
        !others.some((other) => path.startsWith(other)) &&
        !sources.some((source) => path === source || path.startsWith(`${source}/`)),
    );
    expect(copied(dockerfile).length).toBeGreaterThan(5);
    expect(missing).toEqual([]);
  },
);

test.each(['Dockerfile.operator', 'Dockerfile.runtime'])(
  'each image of %s carries the version of the project',
  (file) => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string };
    const text = readFileSync(join(repositoryRoot, file), 'utf8');
    const labels = [...text.matchAll(/image\.version="(.*)"/g)].map((match) => match[1]);
    const images = [...text.matchAll(/^ENTRYPOINT /gm)];
    expect(images.length).toBeGreaterThan(0);
    expect(labels).toEqual(images.map(() => version));
  },
);

test('an unknown image is answered with the names there are', () => {
  expect(() => recipeOf('toString')).toThrow('choose from operator, runtime, trainer, runtime-cuda, pytorch');
});
