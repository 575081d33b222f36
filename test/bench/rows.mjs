/** Agents of the bench: one of many (`agt_tenant_7`) has a workspace of its own. */
export const workspaceOf = (agentId) =>
  agentId.startsWith('agt_tenant') ? agentId.replace('agt_', 'ws_') : 'ws_bench';

/** The result rows of a job, made up as they are read: some 125 bytes each. */
export function resultRow(jobId, n) {
  return {
    partnerRowId: `row_${jobId.slice(-8)}${String(n).padStart(18, '0')}`,
    referenceHotelId: `ref_01J5Z${String(n * 7919).padStart(21, '0')}`,
    matchMethod: 'STANDARD',
    matchConfidence: null,
  };
}
