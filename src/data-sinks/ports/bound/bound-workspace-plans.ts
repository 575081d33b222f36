import type { WorkspacePlans } from '../workspace-plans.js';
import { callPort, textsById } from './call-port.js';

const CALL = 'WorkspacePlans.findPlans()';

/** The host's plans, with a time limit and a check of every answer. */
export class BoundWorkspacePlans implements WorkspacePlans {
  constructor(
    private readonly host: WorkspacePlans,
    private readonly limitMs: number,
  ) {}

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async findPlans(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const answer = await callPort(CALL, this.limitMs, () => this.host.findPlans(workspaceIds));
    return textsById(CALL, answer, workspaceIds, { key: 'workspace id', value: 'plan' });
  }
}
