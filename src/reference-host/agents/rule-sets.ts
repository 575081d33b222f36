import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rows } from '../persistence/sql.js';

/** One version of an agent's rules. Versions are immutable; writing rules creates the next one. */
export interface RuleSetVersion {
  readonly agentId: string;
  readonly version: number;
  readonly rules: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

const COLUMNS = 'agent_id AS "agentId", version, rules, created_at AS "createdAt"';

@Injectable()
export class RuleSets {
  constructor(private readonly dataSource: DataSource) {}

  /** Writes the next version; concurrent writers get one version each. */
  async add(agentId: string, rules: object, createdBy: string): Promise<RuleSetVersion> {
    return this.dataSource.transaction(async (transaction) => {
      await rows(transaction, 'SELECT 1 FROM host_agent WHERE id = $1 FOR UPDATE', [agentId]);
      const [made] = await rows<RuleSetVersion>(transaction, ADD, [agentId, JSON.stringify(rules), createdBy]);
      if (!made) throw new Error('INSERT … RETURNING gave no row');
      return made;
    });
  }

  async current(agentId: string): Promise<RuleSetVersion | null> {
    const [found] = await rows<RuleSetVersion>(
      this.dataSource,
      `SELECT ${COLUMNS} FROM host_rule_set WHERE agent_id = $1 ORDER BY version DESC LIMIT 1`,
      [agentId],
    );
    return found ?? null;
  }
}

const ADD = `
INSERT INTO host_rule_set (agent_id, version, rules, created_by)
SELECT $1, coalesce(max(version), 0) + 1, $2, $3 FROM host_rule_set WHERE agent_id = $1
RETURNING ${COLUMNS}`;
