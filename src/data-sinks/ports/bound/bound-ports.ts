import type { Provider } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../../data-sinks.options.js';
import {
  GATE_AGENT_DIRECTORY,
  GATE_WORKSPACE_PLANS,
  HOST_AGENT_DIRECTORY,
  HOST_AUDIT_TRAIL,
  HOST_MAPPING_RESULTS,
  HOST_SECRET_VAULT,
  HOST_WORKSPACE_ACCESS,
  HOST_WORKSPACE_PLANS,
  INTAKE_AGENT_DIRECTORY,
  OPTIONS,
} from '../../data-sinks.tokens.js';
import { AgentDirectory, AuditTrail, MappingResults, SecretVault, WorkspaceAccess, WorkspacePlans } from '../index.js';
import {
  BoundAgentDirectory,
  BoundAuditTrail,
  BoundMappingResults,
  BoundSecretVault,
  BoundWorkspaceAccess,
  BoundWorkspacePlans,
} from './index.js';
import { RuleSetWarnings } from './rule-set-warnings.js';

/** Time limits of the host's ports in milliseconds, by purpose. */
const LIMITS = {
  /** For requests and steps that can be repeated. */
  answerMs: 10_000,
  /** For intake: the caller that completes a job may have no way to retry. */
  intakeMs: 30_000,
  /** For the first batch of rows and between batches: a host may sort a million rows before the first. */
  rowsMs: 120_000,
  /** The first page covers a day of jobs. Not longer: the sweep also frees expired leases. */
  listMs: 30_000,
  /** It may scan every secret. Not longer, for the same reason. */
  vaultSweepMs: 60_000,
} as const;

/** The gate must answer well before the leases of its batch expire. */
const gateMs = ({ leaseMs }: ResolvedDataSinksOptions): number => leaseMs / 2;

/**
 * Wraps each port once with its time limits and answer checks. Every call ends within its limit: with an answer of the
 * right shape, or with an error that names the problem.
 */
export const boundPorts: readonly Provider[] = [
  RuleSetWarnings,
  {
    provide: AgentDirectory,
    inject: [HOST_AGENT_DIRECTORY, RuleSetWarnings],
    useFactory: (host: AgentDirectory, warnings: RuleSetWarnings) =>
      new BoundAgentDirectory(host, LIMITS.answerMs, warnings),
  },
  {
    provide: INTAKE_AGENT_DIRECTORY,
    inject: [HOST_AGENT_DIRECTORY, RuleSetWarnings],
    useFactory: (host: AgentDirectory, warnings: RuleSetWarnings) =>
      new BoundAgentDirectory(host, LIMITS.intakeMs, warnings),
  },
  {
    provide: GATE_AGENT_DIRECTORY,
    inject: [HOST_AGENT_DIRECTORY, RuleSetWarnings, OPTIONS],
    useFactory: (host: AgentDirectory, warnings: RuleSetWarnings, options: ResolvedDataSinksOptions) =>
      new BoundAgentDirectory(host, gateMs(options), warnings),
  },
  {
    provide: WorkspacePlans,
    inject: [HOST_WORKSPACE_PLANS],
    useFactory: (host: WorkspacePlans) => new BoundWorkspacePlans(host, LIMITS.answerMs),
  },
  {
    provide: GATE_WORKSPACE_PLANS,
    inject: [HOST_WORKSPACE_PLANS, OPTIONS],
    useFactory: (host: WorkspacePlans, options: ResolvedDataSinksOptions) =>
      new BoundWorkspacePlans(host, gateMs(options)),
  },
  {
    provide: MappingResults,
    inject: [HOST_MAPPING_RESULTS],
    useFactory: (host: MappingResults) => new BoundMappingResults(host, LIMITS),
  },
  {
    provide: WorkspaceAccess,
    inject: [HOST_WORKSPACE_ACCESS],
    useFactory: (host: WorkspaceAccess) => new BoundWorkspaceAccess(host, LIMITS.answerMs),
  },
  {
    provide: SecretVault,
    inject: [HOST_SECRET_VAULT],
    useFactory: (host: SecretVault) =>
      new BoundSecretVault(host, { answerMs: LIMITS.answerMs, sweepMs: LIMITS.vaultSweepMs }),
  },
  {
    provide: AuditTrail,
    inject: [HOST_AUDIT_TRAIL],
    useFactory: (host: AuditTrail) => new BoundAuditTrail(host, LIMITS.answerMs),
  },
];
