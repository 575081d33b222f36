export { BoundAgentDirectory } from './bound-agent-directory.js';
export { BoundAuditTrail } from './bound-audit-trail.js';
export { BoundAwsCredentials } from './bound-aws-credentials.js';
export { BoundMappingResults } from './bound-mapping-results.js';
export { BoundSecretVault } from './bound-secret-vault.js';
export { BoundWorkspaceAccess } from './bound-workspace-access.js';
export { BoundWorkspacePlans } from './bound-workspace-plans.js';
