import { formatInstant } from './instant.js';
import type { PayloadFacts } from './body/layout.js';
import { BODY_FORMATS } from './body/body-format.js';
import { partText, type PayloadRecipe } from './body/payload-recipe.js';

export interface DescribedPush {
  readonly deliveryId: string;
  readonly attemptNumber: number;
  /** SHA-256 of the body as sent, in lower-case hex. */
  readonly sha256: string;
  readonly recipe: PayloadRecipe;
  readonly facts: PayloadFacts;
  /** Whether it is the synthetic payload of a Test. */
  readonly test: boolean;
  /** Only for sinks that request it, and only if there is a trace. */
  readonly traceparent: string | null;
}

/** The headers of every push, whatever the scheme (contract, section 6). The HTTP client sets `Content-Length`. */
export function pushHeaders(push: DescribedPush): Readonly<Record<string, string>> {
  const { compression, split } = push.recipe;
  const { contentType, tellsFacts } = BODY_FORMATS[push.recipe.format];
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

/** Facts that a body consisting only of rows cannot carry. */
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

/** The host chooses its ids. Characters that a header cannot hold, and the percent sign, are percent-encoded. */
function inHeader(id: string): string {
  return id.replace(/\p{Cs}/gu, '\ufffd').replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}
