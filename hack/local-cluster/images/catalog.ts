/** An image of ours: its Dockerfile, the target in it, and the folders that only it is made from. */
export interface ImageRecipe {
  readonly image: string;
  readonly dockerfile: string;
  readonly target?: string;
  readonly sources: readonly string[];
  /** Folder that its Dockerfile copies from. Unset: the root of the repository. */
  readonly context?: string;
  /** What it is built on. Unset: Node. */
  readonly language?: 'Python';
  /** What its base has beside Node. */
  readonly accelerator?: 'CUDA';
}

/** What every image depends on: the packages and the bundler. */
const COMMON = [
  '.dockerignore',
  '.npmrc',
  'package.json',
  'package-lock.json',
  'crds/src',
  'hack/bundle.ts',
  'hack/package.json',
  'operator/package.json',
  'runtime/package.json',
  'e2e/package.json',
] as const;

const runtime = (name: string, target: string): ImageRecipe => ({
  image: `slipway.dev/${name}`,
  dockerfile: 'Dockerfile.runtime',
  target,
  sources: [...COMMON, 'runtime'],
});

const RECIPES = {
  operator: { image: 'slipway.dev/operator:dev', dockerfile: 'Dockerfile.operator', sources: [...COMMON, 'operator'] },
  runtime: runtime('runtime:dev', 'server'),
  trainer: runtime('trainer:dev', 'trainer'),
  'runtime-cuda': {
    ...runtime('runtime:dev-cuda', 'server-cuda'),
    sources: [...COMMON, 'runtime', 'hack/cudaProviders.ts'],
    accelerator: 'CUDA',
  },
  pytorch: {
    image: 'slipway.dev/pytorch-flights:dev',
    dockerfile: 'config/samples/pytorch/Dockerfile',
    context: 'config/samples/pytorch',
    sources: ['config/samples/pytorch'],
    language: 'Python',
  },
} as const satisfies Record<string, ImageRecipe>;

export type ImageName = keyof typeof RECIPES;
export const imageNames = Object.keys(RECIPES) as readonly ImageName[];

/** Built when no name is given; the CUDA image is large and needs a GPU to be of use, that of PyTorch holds torch. */
export const USUAL: readonly ImageName[] = ['operator', 'runtime', 'trainer'];

export function recipeOf(name: string): ImageRecipe {
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name as ImageName] : undefined;
  if (recipe) return recipe;
  throw new Error(`There is no image ${name}: choose from ${imageNames.join(', ')}.`);
}
