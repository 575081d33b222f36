import type { DataSink } from '../../domain/data-sink.js';
import { ProblemError } from '../../domain/errors.js';

/** The header of an answer, for the OpenAPI document. */
export const ETAG = {
  ETag: {
    description: 'The state of the settings, the secret and the status: for `If-Match`.',
    schema: { type: 'string' as const, example: '"3-ACTIVE"' },
  },
};

/** The header of a request, for the OpenAPI document. */
export const IF_MATCH = {
  name: 'If-Match',
  required: false,
  schema: { type: 'string' as const },
  description:
    'The `ETag` of the data source as it was read. One that has changed since is left as it is: 412. Without it, a change that meets another one at the same moment is made after it.',
};

/**
 * A sink's `ETag`. It changes with the settings, the secret and the status, also where the module changes them. It does
 * not change with a Test or a pause, which no change overwrites.
 */
export function entityTag({ configVersion, status }: Pick<DataSink, 'configVersion' | 'status'>): string {
  return `"${configVersion}-${status}"`;
}

/**
 * Does what a request with `If-Match` asks for (RFC 9110, 13.1.1). Tags are compared strongly: `W/` never matches.
 * @param ifMatch absent, or `*`: any state will do
 * @param work is told whether the sink must be changed as it was read, or not at all
 * @throws ProblemError `precondition-failed` when another request has changed it, before or meanwhile
 */
export async function matching<T>(
  ifMatch: string | undefined,
  sink: DataSink,
  work: (asRead: boolean) => Promise<T>,
): Promise<T> {
  if (ifMatch === undefined || ifMatch.trim() === '*') return work(false);
  const tags = tagsIn(ifMatch);
  if (!tags.includes(entityTag(sink))) throw preconditionFailed(tags.some((tag) => tag.startsWith('W/')));
  try {
    return await work(true);
  } catch (error) {
    throw error instanceof ProblemError && error.code === 'changed-meanwhile' ? preconditionFailed() : error;
  }
}

/** Our tags have no comma. */
const tagsIn = (header: string): string[] => header.split(',').map((tag) => tag.trim());

function preconditionFailed(isWeak = false): ProblemError {
  const weak = ' A tag that begins with W/ never matches; a gateway that compresses answers may have made it one.';
  return new ProblemError(
    'precondition-failed',
    `If-Match names another state of the data source than the one that it has. Read it again, with its ETag.${isWeak ? weak : ''}`,
  );
}
