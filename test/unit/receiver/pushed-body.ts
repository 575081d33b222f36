import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { MappingResultRow } from '../../../src/data-sinks/domain/job-completed.js';
import type { PayloadFacts } from '../../../src/data-sinks/domain/body/layout.js';
import { bodyText, payloadLayout, type TextRecipe } from '../../../src/data-sinks/domain/body/payload-layout.js';
import { parseRecipe } from '../../../src/data-sinks/domain/body/payload-recipe.js';
import { pushHeaders } from '../../../src/data-sinks/domain/push-headers.js';
import { DELIVERY_ID, PAYLOAD, SECRET, type SignedPush, signedPush } from './signed-push.js';

const { jobId, agentId, workspaceId, completedAt, stats } = PAYLOAD;
export const FACTS = { jobId, agentId, workspaceId, completedAt, stats };
const SENT: PayloadFacts = { ...FACTS, completedAt: new Date(completedAt) };

export interface PushedBody {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A body and its headers as the sending side makes them, by the name of its recipe. */
export function pushedBody(recipe: string, rows: readonly MappingResultRow[], test = false): PushedBody {
  const made = parseRecipe(recipe);
  const text = Buffer.from(bodyText(payloadLayout(made as TextRecipe), SENT, rows, test));
  const body = made.compression === 'gzip' ? gzipSync(text) : text;
  const sha256 = createHash('sha256').update(body).digest('hex');
  const about = { deliveryId: DELIVERY_ID, attemptNumber: 1, sha256 };
  return { body, headers: pushHeaders({ ...about, recipe: made, facts: SENT, test, traceparent: null }) };
}

/** The same, signed. @param signedAt seconds since 1970 */
export function signedBody(recipe: string, rows: readonly MappingResultRow[], signedAt?: number): SignedPush {
  const { body, headers } = pushedBody(recipe, rows);
  return { body, headers: { ...signedPush(body, SECRET, signedAt).headers, ...headers } };
}
