import type { INestApplicationContext } from '@nestjs/common';
import { Agents } from './agents/agents.js';
import { ApiTokens } from './workspaces/api-tokens.js';
import { Workspaces } from './workspaces/workspaces.js';

/** What the first start created. */
export interface DemoWorkspace {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly token: string;
}

/**
 * Creates a Pro Max workspace, an agent and a token in an empty database.
 * @returns null when a workspace already exists
 */
export async function seedWhenEmpty(app: INestApplicationContext): Promise<DemoWorkspace | null> {
  const workspaces = app.get(Workspaces);
  if (!(await workspaces.isEmpty())) return null;
  const workspaceId = await workspaces.create('Demo', 'PRO_MAX');
  const { id: agentId } = await app.get(Agents).create(workspaceId, 'Demo agent');
  return { workspaceId, agentId, token: await app.get(ApiTokens).issue(workspaceId) };
}
