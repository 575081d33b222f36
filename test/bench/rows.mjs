/** Agents of the bench: one of many (`agt_tenant_7`) has a workspace of its own. */
export const workspaceOf = (agentId) =>
  agentId.startsWith('agt_tenant') ? agentId.replace('agt_', 'ws_') : 'ws_bench';

/** The result rows of a job, made up as they are read: some 125 bytes each. */
export function resultRow(jobId, n) {
  if (jobId.includes('_ulid')) return scatteredRow(n);
  return {
    partnerRowId: `row_${jobId.slice(-8)}${String(n).padStart(18, '0')}`,
    referenceHotelId: `ref_01J5Z${String(n * 7919).padStart(21, '0')}`,
    matchMethod: 'STANDARD',
    matchConfidence: null,
  };
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Of jobs whose tag begins with `ulid`: rows whose ids have nothing in common but a date, with confidences, every twentieth
 * without a match. How well a format packs rows is measured with these.
 */
function scatteredRow(n) {
  const matched = n % 20 !== 0;
  return {
    partnerRowId: `row_01J5Z${letters(n, 1)}`,
    referenceHotelId: matched ? `ref_01J5Z${letters(n, 2)}` : null,
    matchMethod: matched ? ['STANDARD', 'FUZZY_NAME', 'GEO'][mixed(n, 3) % 3] : null,
    matchConfidence: matched ? (mixed(n, 4) % 1_001) / 1_000 : null,
  };
}

function letters(n, salt) {
  let text = '';
  for (let i = 0; i < 4; i++) {
    let bits = mixed(n * 4 + i, salt);
    for (let k = 0; k < 6 && text.length < 21; k++, bits >>>= 5) text += LETTERS[bits & 31];
  }
  return text;
}

/** Thirty-two bits that look like chance (the finaliser of MurmurHash3). */
function mixed(n, salt) {
  let bits = Math.imul(n ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
