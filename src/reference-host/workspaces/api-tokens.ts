import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { type AccessRequest, type Caller, type Scope, SCOPES, WorkspaceAccess } from '../../data-sinks/index.js';
import { newId } from '../ids.js';
import { answeredWithin, rows } from '../persistence/sql.js';

export const HOST_SCOPES = ['agents:read', 'agents:write', 'mapping-jobs:write'] as const;
export type HostScope = (typeof HOST_SCOPES)[number];

export type TokenScope = HostScope | Scope;
export const ALL_SCOPES: readonly TokenScope[] = [...HOST_SCOPES, ...SCOPES];

/** Far longer than finding a token takes, even when waiting for a pooled connection. */
const ANSWER_LIMIT_MS = 10_000;

/** The owner and the scopes of a token. */
export interface TokenBearer {
  readonly tokenId: string;
  readonly workspaceId: string;
  readonly scopes: ReadonlySet<string>;
}

/** `mt_` tokens, shown only when issued. Only their SHA-256 is stored; 32 random bytes need no salt. */
@Injectable()
export class ApiTokens extends WorkspaceAccess {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** @returns the token, which cannot be shown again */
  async issue(workspaceId: string, scopes: readonly TokenScope[] = ALL_SCOPES): Promise<string> {
    const token = `mt_${randomBytes(32).toString('base64url')}`;
    await rows(
      this.dataSource,
      'INSERT INTO host_api_token (id, workspace_id, token_sha256, scopes) VALUES ($1, $2, $3, $4)',
      [newId('tok'), workspaceId, digest(token), scopes],
    );
    return token;
  }

  async revoke(token: string): Promise<void> {
    await rows(this.dataSource, 'UPDATE host_api_token SET revoked_at = now() WHERE token_sha256 = $1', [
      digest(token),
    ]);
  }

  async findBearer(authorization: string | undefined): Promise<TokenBearer | null> {
    const token = /^Bearer +(mt_[\w-]{1,256}) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    // The first statement of every request: an unresponsive database is reported here, and no request hangs.
    const [found] = await answeredWithin(
      ANSWER_LIMIT_MS,
      rows<{ id: string; workspace_id: string; scopes: string[] }>(
        this.dataSource,
        'SELECT id, workspace_id, scopes FROM host_api_token WHERE token_sha256 = $1 AND revoked_at IS NULL',
        [digest(token)],
      ),
    );
    return found ? { tokenId: found.id, workspaceId: found.workspace_id, scopes: new Set(found.scopes) } : null;
  }

  override async authenticate(request: AccessRequest): Promise<Caller | null> {
    const { authorization } = request.headers;
    const bearer = await this.findBearer(typeof authorization === 'string' ? authorization : undefined);
    if (!bearer) return null;
    return {
      workspaceId: bearer.workspaceId,
      actor: { type: 'token', id: bearer.tokenId },
      scopes: new Set(SCOPES.filter((scope) => bearer.scopes.has(scope))),
    };
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
