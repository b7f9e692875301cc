/**
 * Labels by which clouds mark machines that may be taken back, with the value they have then: Karpenter, GKE (and what
 * it calls preemptible), EKS, AKS. Nodes are tainted with the same key and value, by the cloud (GKE, AKS) or by custom.
 */
export const SPOT_MARKS: readonly { readonly key: string; readonly value: string }[] = [
  { key: 'karpenter.sh/capacity-type', value: 'spot' },
  { key: 'cloud.google.com/gke-spot', value: 'true' },
  { key: 'cloud.google.com/gke-preemptible', value: 'true' },
  { key: 'eks.amazonaws.com/capacityType', value: 'SPOT' },
  { key: 'kubernetes.azure.com/scalesetpriority', value: 'spot' },
];

export const isCapacityLabel = (key: string): boolean => SPOT_MARKS.some((mark) => mark.key === key);
