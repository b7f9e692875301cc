import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PARAMETER_NAMES, parseParameters, readParameters } from './parameters.ts';

describe('parameters', () => {
  it('have defaults', () => {
    expect(parseParameters({})).toMatchObject({ epochs: 3, vocabulary: 'codebook', hiddenUnits: '32', seed: 1 });
  });

  it.each([
    ['epochs', 'many', 'Parameter epochs is "many" but must be a whole number from 1 to 1000.'],
    ['epochs', '0', 'Parameter epochs is "0" but must be a whole number from 1 to 1000.'],
    ['rows', '1.5', 'Parameter rows is "1.5" but must be a whole number from 1000 to 3000000.'],
    ['monthTo', '7', 'Parameter monthTo is "7" but must be a whole number from 1 to 6.'],
    ['learningRate', '-1', 'Parameter learningRate is "-1" but must be a number above 0 and at most 1.'],
    ['learningRate', 'fast', 'Parameter learningRate is "fast" but must be a number above 0 and at most 1.'],
    [
      'hiddenUnits',
      '32;16',
      'Parameter hiddenUnits is "32;16" but must be one to four layer sizes, for example 32 or 64,32.',
    ],
    ['hiddenUnits', '0', 'Parameter hiddenUnits is "0" but must be one to four layer sizes, for example 32 or 64,32.'],
    ['vocabulary', 'all', 'Parameter vocabulary is "all" but must be codebook or seen.'],
    ['epoch', '3', `Parameter epoch is not known; use ${PARAMETER_NAMES.join(', ')}.`],
  ])('refuse %s = %s in a sentence', (name, value, sentence) => {
    expect(() => parseParameters({ [name]: value })).toThrow(sentence);
  });

  it('refuse months in the wrong order', () => {
    expect(() => parseParameters({ monthFrom: '5', monthTo: '2' })).toThrow(
      'Parameter monthFrom (5) must not be after monthTo (2).',
    );
  });

  it('come from the file where one is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parameters-'));
    const file = join(folder, 'parameters.json');
    await writeFile(file, '{"learningRate":"0.5"}');
    const env = { SLIPWAY_PARAMETERS_FILE: file, SLIPWAY_PARAM_LEARNINGRATE: '0.1' };
    expect((await readParameters(env)).learningRate).toBe(0.5);
    await writeFile(file, '[');
    await expect(readParameters(env)).rejects.toThrow('parameters.json must be one JSON object of strings.');
    await rm(folder, { recursive: true });
    await expect(readParameters(env)).rejects.toThrow(`The parameters file ${file} cannot be read.`);
  });

  it('come from the environment otherwise, whose names are upper case', async () => {
    const env = { SLIPWAY_PARAM_LEARNINGRATE: '0.1', SLIPWAY_PARAM_MONTHFROM: '2', PATH: '/bin' };
    expect(await readParameters(env)).toMatchObject({ learningRate: 0.1, monthFrom: 2 });
    await expect(readParameters({ SLIPWAY_PARAM_EPOCH: '2' })).rejects.toThrow('Parameter EPOCH is not known');
  });
});
