/**
 * The key that tells the entries of a list of a PodSpec apart, as its Go types declare it
 * (patchStrategy:"merge", patchMergeKey). Lists that are not named here are replaced whole.
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  resourceClaims: 'name',
  schedulingGates: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  ports: 'containerPort',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    isFields(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );

/** Tolerations have no key: those of ours, which accelerator nodes ask for, stay beside those that are added. */
const union = (base: readonly unknown[], added: readonly unknown[]): unknown[] => {
  const known = new Set(base.map(canonical));
  return [...base, ...added.filter((entry) => !known.has(canonical(entry)))];
};

function mergeByKey(base: readonly unknown[], patch: readonly unknown[], key: string): unknown[] {
  const merged = [...base];
  for (const entry of patch) {
    if (!isFields(entry)) continue;
    const at = merged.findIndex((old) => isFields(old) && old[key] === entry[key]);
    if (entry['$patch'] === 'delete') {
      if (at >= 0) merged.splice(at, 1);
    } else if (at < 0) merged.push(strategicMerge({}, entry));
    else merged[at] = entry['$patch'] === 'replace' ? strategicMerge({}, entry) : strategicMerge(merged[at], entry);
  }
  return merged;
}

function mergeList(field: string, base: unknown, patch: readonly unknown[]): unknown {
  if (!Array.isArray(base)) return mergeByKeyOrWhole(field, [], patch);
  return field === 'tolerations' ? union(base, patch) : mergeByKeyOrWhole(field, base, patch);
}

const mergeByKeyOrWhole = (field: string, base: readonly unknown[], patch: readonly unknown[]): unknown => {
  const key = MERGE_KEYS[field];
  return key === undefined ? patch : mergeByKey(base, patch, key);
};

/**
 * A strategic merge patch over a PodSpec or a part of it: objects field by field, lists by the key of their entries,
 * `null` deletes a field and `$patch: delete` an entry.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
export function strategicMerge(base: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch === undefined ? base : patch;
  const merged: Record<string, unknown> = isFields(base) ? { ...base } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (field === '$patch') continue;
    if (value === null) delete merged[field];
    else if (Array.isArray(value)) merged[field] = mergeList(field, merged[field], value);
    else merged[field] = strategicMerge(merged[field], value);
  }
  return merged;
}
