import { WorkspacePlans } from '../../ports/workspace-plans.js';

/** Plans set by a test. */
export class InMemoryWorkspacePlans extends WorkspacePlans {
  private readonly plans: Map<string, string>;

  /** @param plans plan by workspace id, e.g. `{ ws_01J…: 'PRO_MAX' }` */
  constructor(plans: Readonly<Record<string, string>> = {}) {
    super();
    this.plans = new Map(Object.entries(plans));
  }

  set(workspaceId: string, plan: string): void {
    this.plans.set(workspaceId, plan);
  }

  override async findPlans(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.plans].filter(([workspaceId]) => workspaceIds.includes(workspaceId)));
  }
}
