import { Inject, Injectable } from '@nestjs/common';
import { RANDOM_BYTES } from '../../data-sinks.tokens.js';
import { Database } from '../../database/database.js';

const RANDOM = 24;

/** Of two that make it at the same moment one does: the other waits for its commit, and reads it. */
const MAKE = `
INSERT INTO agent_data_source_workspace (workspace_id, external_id) VALUES ($1, $2)
    ON CONFLICT (workspace_id) DO NOTHING`;
const READ = 'SELECT external_id FROM agent_data_source_workspace WHERE workspace_id = $1';

/**
 * The external id of each workspace: what the platform says when it assumes a role for that workspace, and never for
 * another one. Made by us, once, at random, and never changed: a customer who could choose it could name the role of
 * another customer, and his id.
 */
@Injectable()
export class ExternalIds {
  constructor(
    private readonly database: Database,
    @Inject(RANDOM_BYTES) private readonly randomBytes: (size: number) => Uint8Array,
  ) {}

  async of(workspaceId: string): Promise<string> {
    return (await this.#read(workspaceId)) ?? this.#make(workspaceId);
  }

  async #read(workspaceId: string): Promise<string | undefined> {
    const [found] = await this.database.query<{ external_id: string }>(READ, [workspaceId]);
    return found?.external_id;
  }

  async #make(workspaceId: string): Promise<string> {
    await this.database.execute(MAKE, [workspaceId, Buffer.from(this.randomBytes(RANDOM)).toString('base64url')]);
    const made = await this.#read(workspaceId);
    if (made === undefined) throw new Error('the external id of a workspace was made, and is not there');
    return made;
  }
}
