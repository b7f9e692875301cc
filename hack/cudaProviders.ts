import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Puts onnxruntime's CUDA provider libraries beside onnxruntime-node's CPU library in the given package folder. First
 * by the package's own installer (it downloads from NuGet), else out of the PyPI wheel of the very same version.
 */
const NEEDED = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];
const INDEX = 'https://pypi.org/simple/onnxruntime-gpu/';
const INSTALLER_MS = 300_000;
/** Named in the provider with the number of the CUDA that it was built for. */
const CUBLAS = 'libcublasLt.so.';

interface WheelFile {
  readonly filename: string;
  readonly url: string;
  readonly hashes: { readonly sha256: string };
}
type Zip = new (content: Buffer) => { readFile(name: string): Buffer | null };

const PACKAGE = 'onnxruntime-node/package.json';
const source = dirname(createRequire(import.meta.url).resolve(PACKAGE));
/** The package's own dependencies, of which one reads zip files. */
const packageRequire = createRequire(join(source, 'package.json'));
const { version } = packageRequire('./package.json') as { readonly version: string };

/** The folder that holds the libraries of this platform. */
function libraries(packageFolder: string): string {
  const bin = join(packageFolder, 'bin');
  const abi = readdirSync(bin).find((name) => name.startsWith('napi-v'));
  if (process.arch !== 'x64' || abi === undefined) {
    throw new Error(
      'CUDA providers exist for linux/x64 only: build the target server, or this one with --platform linux/amd64.',
    );
  }
  return join(bin, abi, 'linux', 'x64');
}

function runInstaller(): boolean {
  const script = join(source, 'script', 'install.js');
  spawnSync(process.execPath, [script, '--onnxruntime-node-install=cuda12'], {
    stdio: 'inherit',
    timeout: INSTALLER_MS,
  });
  return NEEDED.every((name) => existsSync(join(libraries(source), name)));
}

async function download(url: string | URL, accept = '*/*'): Promise<Buffer> {
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url} answers HTTP ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

async function fromWheel(): Promise<(name: string) => Buffer> {
  const page = await download(INDEX, 'application/vnd.pypi.simple.v1+json');
  const { files } = JSON.parse(page.toString()) as { readonly files: readonly WheelFile[] };
  const ours = new RegExp(`^onnxruntime_gpu-${RegExp.escape(version)}-.*_x86_64\\.whl$`);
  const wheel = files.find(({ filename }) => ours.test(filename));
  if (wheel === undefined) throw new Error(`PyPI has no onnxruntime-gpu ${version} for Linux on x86_64.`);
  console.log(`taking the CUDA providers out of ${wheel.filename}`);
  const content = await download(new URL(wheel.url, INDEX));
  const digest = createHash('sha256').update(content).digest('hex');
  if (digest !== wheel.hashes.sha256) throw new Error(`${wheel.filename} is not what PyPI says it is.`);
  const archive = new (packageRequire('adm-zip') as Zip)(content);
  return (name) => {
    const file = archive.readFile(`onnxruntime/capi/${name}`);
    if (file === null) throw new Error(`${wheel.filename} has no ${name}.`);
    return file;
  };
}

const target = libraries(process.argv[2] ?? source);
const fetched = runInstaller() ? (name: string) => readFileSync(join(libraries(source), name)) : await fromWheel();
const provider = fetched('libonnxruntime_providers_cuda.so');
const at = provider.indexOf(CUBLAS) + CUBLAS.length;
const cuda = Number.parseInt(provider.toString('latin1', at, at + 2), 10);
// NuGet's are built for CUDA 12, PyPI's for 13; with the other one the model server says at its start what is missing.
console.log(`These providers need CUDA ${cuda} with cuDNN 9: CUDA_BASE must have them.`);
for (const name of NEEDED) writeFileSync(join(target, name), fetched(name), { mode: 0o755 });
