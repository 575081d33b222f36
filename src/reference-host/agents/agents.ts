import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Agent, AgentDirectory, type OpenTransaction } from '../../data-sinks/index.js';
import { isHostId, newId } from '../ids.js';
import { rows, type Session } from '../persistence/sql.js';

export const AGENT_STATUSES = ['DRAFT', 'ACTIVE', 'PAUSED'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export interface HostAgent {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly status: AgentStatus;
  readonly createdAt: Date;
}

const COLUMNS = 'id, workspace_id AS "workspaceId", name, status, created_at AS "createdAt"';

/** The agents of all workspaces; every query except the module's names the caller's workspace. */
@Injectable()
export class Agents extends AgentDirectory {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async create(workspaceId: string, name: string): Promise<HostAgent> {
    const [made] = await rows<HostAgent>(
      this.dataSource,
      `INSERT INTO host_agent (id, workspace_id, name) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
      [newId('agt'), workspaceId, name],
    );
    if (!made) throw new Error('INSERT … RETURNING gave no row');
    return made;
  }

  async find(workspaceId: string, agentId: string): Promise<HostAgent | null> {
    if (!isHostId('agt', agentId)) return null;
    const [found] = await rows<HostAgent>(
      this.dataSource,
      `SELECT ${COLUMNS} FROM host_agent WHERE id = $1 AND workspace_id = $2`,
      [agentId, workspaceId],
    );
    return found ?? null;
  }

  /** Oldest first. */
  async list(workspaceId: string, afterId: string, limit: number): Promise<HostAgent[]> {
    return rows<HostAgent>(
      this.dataSource,
      `SELECT ${COLUMNS} FROM host_agent WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
      [workspaceId, afterId, limit],
    );
  }

  async setStatus(workspaceId: string, agentId: string, status: AgentStatus): Promise<HostAgent | null> {
    if (!isHostId('agt', agentId)) return null;
    const [changed] = await rows<HostAgent>(
      this.dataSource,
      `UPDATE host_agent SET status = $3 WHERE id = $1 AND workspace_id = $2 RETURNING ${COLUMNS}`,
      [agentId, workspaceId, status],
    );
    return changed ?? null;
  }

  override async findAgents(ids: readonly string[], transaction?: OpenTransaction): Promise<readonly Agent[]> {
    return rows<Agent>((transaction as Session | undefined) ?? this.dataSource, FIND_AGENTS, [ids]);
  }
}

const FIND_AGENTS = `
SELECT a.id, a.workspace_id AS "workspaceId", a.status = 'ACTIVE' AS active, r.rules AS "ruleSet"
  FROM host_agent a
  LEFT JOIN LATERAL (
    SELECT rules FROM host_rule_set WHERE agent_id = a.id ORDER BY version DESC LIMIT 1
  ) r ON true
 WHERE a.id = ANY($1)`;
