import assert from 'node:assert/strict';
import { SCOPES, type AccessRequest, type Caller, type WorkspaceAccess } from '../../ports/workspace-access.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface WorkspaceAccessFixture {
  readonly access: WorkspaceAccess;
  /** Requests that must be accepted, with their callers, from at least two workspaces. */
  readonly accepted: readonly { readonly request: AccessRequest; readonly caller: Caller }[];
  /** Requests that must be refused, such as one with a revoked token. */
  readonly refused: readonly AccessRequest[];
}

/** Conformance checks for a host's `WorkspaceAccess`. */
export function workspaceAccessConformance(makeFixture: Make<WorkspaceAccessFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'is given callers of different workspaces to tell apart': async ({ accepted }) => {
      assert.ok(new Set(accepted.map(({ caller }) => caller.workspaceId)).size >= 2);
    },
    'tells the workspace, the actor and the scopes of each caller': async ({ access, accepted }) => {
      for (const { request, caller } of accepted) {
        assert.deepEqual(promised(await access.authenticate(request)), promised(caller));
      }
    },
    'gives nobody a scope that the module does not know': async ({ access, accepted }) => {
      for (const { request } of accepted) {
        for (const scope of (await access.authenticate(request))?.scopes ?? []) assert.ok(SCOPES.includes(scope));
      }
    },
    'turns away what is to be refused, with null and not with an error': async ({ access, refused }) => {
      for (const request of refused) assert.equal(await access.authenticate(request), null);
    },
    'turns away a request without any credentials': async ({ access }) => {
      assert.equal(await access.authenticate(bare({})), null);
    },
    'turns away credentials that make no sense, with null and not with an error': async ({ access }) => {
      for (const authorization of NONSENSE) {
        assert.equal(await access.authenticate(bare({ authorization })), null, JSON.stringify(authorization));
      }
    },
  });
}

const NONSENSE: readonly (string | readonly string[])[] = [
  '',
  ' ',
  'Bearer',
  'Bearer ',
  'Bearer  ',
  'Bearer __proto__',
  'Bearer constructor',
  'Bearer undefined',
  'Bearer null',
  "Bearer ' OR '1'='1",
  `Bearer ${'x'.repeat(8000)}`,
  'Basic Og==',
  'Basic %%%',
  'Digest username="x"',
  [],
  ['Bearer a', 'Bearer b'],
];

function bare(headers: AccessRequest['headers']): AccessRequest {
  return { headers, ip: '192.0.2.7', raw: { headers } };
}

/** Compares only the specified fields: an adapter may return objects with more. */
function promised(caller: Caller | null): unknown {
  if (!caller) return null;
  const { workspaceId, actor, scopes } = caller;
  return { workspaceId, actor: { type: actor.type, id: actor.id }, scopes: [...scopes].sort() };
}
