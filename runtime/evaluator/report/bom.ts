import { METRICS, type Metric } from '../metrics.ts';
import type { ReportDocument } from './document.ts';

/** A UUID made of a digest: the same artifact and report name the same bill. */
const uuidOf = (digest: string): string => {
  const hex = digest.replace(/^sha256:/, '');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

const sha256 = (digest: string) => [{ alg: 'SHA-256', content: digest.replace(/^sha256:/, '') }];
const text = (value: number): string => Number(value.toPrecision(6)).toString();

/** The machine-learning bill of materials: CycloneDX 1.6 with a model card. */
export function billOfMaterials(report: ReportDocument): object {
  const { name, model, version, at, artifact, entries, provenance } = report;
  const datasets = (provenance?.datasets ?? []).map((one) => ({
    type: 'data',
    'bom-ref': `dataset/${one.name}`,
    name: one.name,
    data: [{ type: 'dataset', name: one.name, contents: { url: one.uri } }],
    ...(one.digest === undefined ? {} : { hashes: sha256(one.digest) }),
  }));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: uuidOf(artifact.digest),
    version: 1,
    metadata: {
      timestamp: at,
      tools: { components: [{ type: 'application', name: 'slipway-evaluator' }] },
      component: {
        type: 'machine-learning-model',
        'bom-ref': name,
        name: model,
        version,
        modelCard: modelCard(report),
        properties: [
          { name: 'slipway:artifactDigest', value: artifact.digest },
          { name: 'slipway:artifactUri', value: artifact.uri },
        ],
      },
    },
    components: [
      ...entries.map(({ path, sha256: content }) => ({
        type: 'file',
        'bom-ref': `file/${path}`,
        name: path,
        hashes: sha256(content),
      })),
      ...datasets,
      ...(provenance?.image === undefined
        ? []
        : [{ type: 'container', 'bom-ref': 'training-image', name: provenance.image }]),
    ],
    dependencies: [
      {
        ref: name,
        dependsOn: [...entries.map(({ path }) => `file/${path}`), ...datasets.map((one) => one['bom-ref'])],
      },
    ],
  };
}

function modelCard(report: ReportDocument): object {
  const { signature, metrics, slices, provenance, gates, warnings } = report;
  const format = (tensors: ReportDocument['signature']['inputs']) =>
    tensors.map((tensor) => ({ format: `${tensor.name}: ${tensor.datatype}[${tensor.shape.join(',')}]` }));
  const row = (type: Metric | string, value: number, low: number, high: number, slice?: string) => ({
    type,
    value: text(value),
    ...(slice === undefined ? {} : { slice }),
    confidenceInterval: { lowerBound: text(low), upperBound: text(high) },
  });
  const known = metrics.filter(({ value }) => !Number.isNaN(value));
  return {
    'bom-ref': `${report.name}/card`,
    modelParameters: {
      approach: { type: 'supervised' },
      task: known.some(({ metric }) => METRICS[metric].needs === 'numbers') ? 'regression' : 'classification',
      datasets: (provenance?.datasets ?? []).map(({ name }) => ({ ref: `dataset/${name}` })),
      inputs: format(signature.inputs),
      outputs: format(signature.outputs),
    },
    quantitativeAnalysis: {
      performanceMetrics: [
        ...known.map(({ metric, value, low, high }) => row(metric, value, low, high)),
        ...slices.map(({ metric, value, low, high, slice }) => row(metric, value, low, high, slice)),
      ],
    },
    considerations: {
      technicalLimitations: warnings,
      fairnessAssessments: gates
        .filter(({ gate }) => gate.across !== undefined)
        .map(({ gate, message }) => ({ groupAtRisk: `groups of ${gate.across}`, harms: message })),
    },
    properties: gates.map(({ name, verdict, message }) => ({
      name: `slipway:gate:${name}`,
      value: `${verdict}: ${message}`,
    })),
  };
}
