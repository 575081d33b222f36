import type { Provider } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import {
  HOST_AGENT_DIRECTORY,
  HOST_AUDIT_TRAIL,
  HOST_MAPPING_RESULTS,
  HOST_SECRET_VAULT,
  HOST_WORKSPACE_ACCESS,
  HOST_WORKSPACE_PLANS,
  OPTIONS,
  VAULT_KEYS,
} from '../data-sinks.tokens.js';
import { DatabaseAuditTrail } from '../database/audit/database-audit-trail.js';
import { DatabaseSecretVault } from '../vault/database-secret-vault.js';
import { parseKeyRing } from '../vault/key-ring.js';
import type { DataSinksPorts } from './structure.js';

/** The ports that the host provided; two of them have a default. */
export function hostPorts(ports: DataSinksPorts): Provider[] {
  return [
    { provide: HOST_AGENT_DIRECTORY, useClass: ports.agentDirectory },
    { provide: HOST_WORKSPACE_PLANS, useClass: ports.workspacePlans },
    { provide: HOST_MAPPING_RESULTS, useClass: ports.mappingResults },
    { provide: HOST_WORKSPACE_ACCESS, useClass: ports.workspaceAccess },
    { provide: HOST_SECRET_VAULT, useClass: ports.secretVault ?? DatabaseSecretVault },
    { provide: HOST_AUDIT_TRAIL, useClass: ports.auditTrail ?? DatabaseAuditTrail },
    ...(ports.secretVault ? [] : [vaultKeys]),
  ];
}

/** Only for the default vault: a host with its own vault has no keys. */
const vaultKeys: Provider = {
  provide: VAULT_KEYS,
  inject: [OPTIONS],
  useFactory: (options: ResolvedDataSinksOptions) => parseKeyRing(options.vaultKeys, 'the option vaultKeys'),
};
