export * from './agent-directory.js';
export * from './audit-trail.js';
export * from './aws-credentials.js';
export * from './mapping-results.js';
export type * from './open-transaction.js';
export * from './secret-vault.js';
export * from './workspace-access.js';
export * from './workspace-plans.js';
