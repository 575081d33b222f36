import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { WorkspacePlans } from '../../data-sinks/index.js';
import { newId } from '../ids.js';
import { rows } from '../persistence/sql.js';

export const PLANS = ['BASIC', 'PRO', 'PRO_MAX', 'ENTERPRISE'] as const;
export type Plan = (typeof PLANS)[number];

/** Workspaces and their plans. */
@Injectable()
export class Workspaces extends WorkspacePlans {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async create(name: string, plan: Plan): Promise<string> {
    const id = newId('ws');
    await rows(this.dataSource, 'INSERT INTO host_workspace (id, name, plan) VALUES ($1, $2, $3)', [id, name, plan]);
    return id;
  }

  async changePlan(workspaceId: string, plan: Plan): Promise<void> {
    await rows(this.dataSource, 'UPDATE host_workspace SET plan = $2 WHERE id = $1', [workspaceId, plan]);
  }

  async isEmpty(): Promise<boolean> {
    const found = await rows(this.dataSource, 'SELECT 1 FROM host_workspace LIMIT 1');
    return found.length === 0;
  }

  override async findPlans(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await rows<{ id: string; plan: string }>(
      this.dataSource,
      'SELECT id, plan FROM host_workspace WHERE id = ANY($1)',
      [workspaceIds],
    );
    return new Map(found.map(({ id, plan }) => [id, plan]));
  }
}
