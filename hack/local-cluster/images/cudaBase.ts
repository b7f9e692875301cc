import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackages } from '../binaries/debian.ts';
import { withLock } from '../binaries/lock.ts';
import { run } from '../command.ts';
import { contentKey } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import { heartbeat, type Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { buildImage, imageId } from './buildah.ts';
import { nodeBases } from './nodeBase.ts';

/**
 * CUDA 13 and cuDNN 9 as NVIDIA publishes them on PyPI: what onnxruntime-gpu asks for in its extras `cuda` and `cudnn`,
 * and what those need themselves. Pinned, so that an image is the same tomorrow.
 */
const WHEELS = [
  'nvidia-cublas==13.10.0.20',
  'nvidia-cuda-nvrtc==13.5.37',
  'nvidia-cuda-runtime==13.5.37',
  'nvidia-cudnn-cu13==9.28.1.4',
  'nvidia-cufft==12.5.0.14',
  'nvidia-curand==10.4.5.25',
  'nvidia-nvjitlink==13.5.37',
] as const;
const PLATFORMS = ['manylinux_2_27_x86_64', 'manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64'];
const SHARED = /^lib.*\.so\.\d/;
/** Wrappers with the interfaces of BLAS and FFTW, which ONNX Runtime does not call. */
const LEFT_OUT = /^lib(?:nvblas|cufftw)\.so/;

const DOCKERFILE = `FROM ${nodeBases.run}
COPY lib /usr/local/cuda/lib64
RUN echo /usr/local/cuda/lib64 > /etc/ld.so.conf.d/cuda.conf && ldconfig
`;

/** The twin of NVIDIA's runtime image with cuDNN, made from packages. It has no driver: that is the node's. */
export const cudaBase = `slipway.dev/cuda:${contentKey([...WHEELS, LEFT_OUT.source, DOCKERFILE])}`;

/** The sentence for a platform for which nobody publishes the providers; undefined where there are some. */
export const withoutCuda = (platform: string, architecture: string): string | undefined =>
  platform === 'linux' && architecture === 'x64'
    ? undefined
    : `The CUDA image is for Linux on x64 only, since ONNX Runtime has no CUDA providers for ${platform} on ` +
      `${architecture}: build it on such a machine, or build "runtime", which serves on the CPU of this one.`;

/** Takes the shared libraries out of the wheels, which are zip files. */
async function fetchLibraries(folder: string, target: string): Promise<void> {
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  await run('python3', [...pip, ...PLATFORMS.flatMap((tag) => ['--platform', tag]), '--dest', folder, ...WHEELS]);
  for (const wheel of (await readdir(folder)).filter((name) => name.endsWith('.whl'))) {
    await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
  }
  await mkdir(target);
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of files.filter((file) => SHARED.test(file.name) && !LEFT_OUT.test(file.name))) {
    await rename(join(parentPath, name), join(target, name));
  }
}

/** Needs the base images of Node; 1.3 GB are fetched, and nothing but the image (2 GB) is kept. */
export async function ensureCudaBase(log: Log): Promise<string> {
  await withLock(join(cacheDirectory(), 'cuda-base.lock'), async () => {
    if ((await imageId(cudaBase)) !== undefined) return;
    await ensurePackages(['python3-pip'], log);
    log('fetching CUDA 13 and cuDNN 9 (1.3 GB)');
    const stop = heartbeat(log, 'fetching CUDA');
    await inTemporaryFolder(async (context) => {
      await inTemporaryFolder((fetched) => fetchLibraries(fetched, join(context, 'lib'))).finally(stop);
      await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
      await buildImage({ image: cudaBase, context, dockerfile: join(context, 'Dockerfile') }, log);
    });
  });
  return cudaBase;
}
