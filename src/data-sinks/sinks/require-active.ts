import type { DataSink } from '../domain/data-sink.js';
import { ProblemError } from '../domain/errors.js';

/**
 * Refuses requests whose deliveries the gate would end at once. @throws ProblemError `agent-inactive`, `sink-inactive`
 */
export function requireActive(agentActive: boolean, sink: Pick<DataSink, 'status'> | null): void {
  if (!agentActive) throw new ProblemError('agent-inactive', 'Activate the agent first.');
  if (sink?.status !== 'ACTIVE') {
    throw new ProblemError(
      'sink-inactive',
      'The data source is deleted or not active. Set its status to ACTIVE first.',
    );
  }
}
