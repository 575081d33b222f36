import { formatInstant } from './instant.js';
import { type PayloadFacts, payloadLayout } from './payload-layout.js';
import { partText, type PayloadRecipe } from './payload-recipe.js';

export interface DescribedPush {
  readonly deliveryId: string;
  readonly attemptNumber: number;
  /** Of the body as it is sent, lower-case hex. */
  readonly sha256: string;
  readonly recipe: PayloadRecipe;
  readonly facts: PayloadFacts;
  /** Whether it is the synthetic payload of the Test button. */
  readonly test: boolean;
  /** For sinks that ask for it, where there is a trace. */
  readonly traceparent: string | null;
}

/** The headers of every push, whatever the scheme (contract, section 6). `Content-Length` is the client's. */
export function pushHeaders(push: DescribedPush): Readonly<Record<string, string>> {
  const { compression, split } = push.recipe;
  const { contentType, tellsFacts } = payloadLayout(push.recipe);
  return {
    'Content-Type': contentType,
    ...(compression !== 'none' && { 'Content-Encoding': compression }),
    'X-MT-Delivery-Id': push.deliveryId,
    'X-MT-Attempt': String(push.attemptNumber),
    ...(split && { 'X-MT-Part': partText(split) }),
    ...(!tellsFacts && factHeaders(push.facts)),
    ...(!tellsFacts && push.test && { 'X-MT-Test': 'true' }),
    'Content-Digest': `sha-256=:${Buffer.from(push.sha256, 'hex').toString('base64')}:`,
    ...(push.traceparent !== null && { traceparent: push.traceparent }),
  };
}

/** What a body of rows alone cannot tell. */
function factHeaders({ jobId, agentId, workspaceId, completedAt, stats }: PayloadFacts): Record<string, string> {
  return {
    'X-MT-Job-Id': inHeader(jobId),
    'X-MT-Agent-Id': inHeader(agentId),
    'X-MT-Workspace-Id': inHeader(workspaceId),
    'X-MT-Completed-At': formatInstant(completedAt),
    // A dictionary of RFC 9651.
    'X-MT-Stats': `total=${stats.total}, matched=${stats.matched}, unmatched=${stats.unmatched}`,
  };
}

/** Ids are the host's, in any form; what a header cannot hold is written as in a URL, and so is the percent sign. */
function inHeader(id: string): string {
  return id.replace(/\p{Cs}/gu, '\ufffd').replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}
