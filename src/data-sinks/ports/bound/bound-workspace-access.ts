import { PortAnswerError } from '../../domain/errors.js';
import { describeType } from '../../domain/describe-type.js';
import type { AccessRequest, Caller, WorkspaceAccess } from '../workspace-access.js';
import { callPort, isObject, isSet, isText, wrongAnswer } from './call-port.js';

const CALL = 'WorkspaceAccess.authenticate()';

/** The host's authentication, with a time limit and a check of every answer. */
export class BoundWorkspaceAccess implements WorkspaceAccess {
  constructor(
    private readonly host: WorkspaceAccess,
    private readonly limitMs: number,
  ) {}

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async authenticate(request: AccessRequest): Promise<Caller | null> {
    const answer = await callPort(CALL, this.limitMs, () => this.host.authenticate(request));
    if (answer === null) return null;
    if (!isObject(answer)) throw wrongAnswer(CALL, answer, 'it must return a caller or null');
    const { workspaceId, actor, scopes, agentIds } = answer;
    if (!isText(workspaceId)) throw wrongField('workspaceId', workspaceId, 'a non-empty string');
    if (!isObject(actor)) throw wrongField('actor', actor, 'an object with type and id');
    if (!isText(actor['type'])) throw wrongField('actor.type', actor['type'], 'a non-empty string');
    if (!isText(actor['id'])) throw wrongField('actor.id', actor['id'], 'a non-empty string');
    if (!isSet(scopes)) throw wrongField('scopes', scopes, 'a Set');
    // A limit that is not understood is no limit: such a caller is refused.
    if (agentIds !== undefined && !isSet(agentIds)) throw wrongField('agentIds', agentIds, 'a Set or undefined');
    return answer as unknown as Caller;
  }
}

function wrongField(name: string, value: unknown, due: string): PortAnswerError {
  return new PortAnswerError(`${CALL} returned a caller whose ${name} is ${describeType(value)}; it must be ${due}`);
}
