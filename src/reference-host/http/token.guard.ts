import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiBearerAuth } from '@nestjs/swagger';
import type { Request } from 'express';
import { ProblemError } from '../../data-sinks/index.js';
import { ApiTokens, type HostScope, type TokenBearer } from '../workspaces/api-tokens.js';
import { ApiProblem } from './problem.dto.js';

const SCOPE = 'host scope';

type AuthenticatedRequest = Request & { bearer?: TokenBearer };

/** Accepts requests with a valid token that has the scope required by the route. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: ApiTokens,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const bearer = await this.tokens.findBearer(request.headers.authorization);
    if (!bearer) throw new ProblemError('unauthenticated', 'Send a valid token: Authorization: Bearer mt_…');
    const scope = this.reflector.get<HostScope>(SCOPE, context.getHandler());
    if (!bearer.scopes.has(scope)) throw new ProblemError('insufficient-scope', `This needs a token with ${scope}.`);
    request.bearer = bearer;
    return true;
  }
}

/** The scope that the route requires. */
export function RequireScope(scope: HostScope): MethodDecorator {
  return applyDecorators(
    SetMetadata(SCOPE, scope),
    UseGuards(TokenGuard),
    ApiBearerAuth(),
    ApiProblem(401, 'unauthenticated', 'No token, or one that is unknown or revoked'),
    ApiProblem(403, 'insufficient-scope', `The token lacks the scope ${scope}`),
    ApiProblem(503, 'temporarily-unavailable', 'The database does not answer'),
  );
}

/** The authenticated caller; only on routes with `RequireScope`. */
export const Bearer = createParamDecorator((_: unknown, context: ExecutionContext): TokenBearer => {
  const { bearer } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!bearer) throw new Error('@Bearer() on a route without @RequireScope()');
  return bearer;
});
