import type { DataSink } from '../domain/data-sink.js';
import { parseRules } from '../domain/data-sink-rules.js';
import type { Agent } from '../ports/agent-directory.js';
import type { LogFields } from '../tools/log-line.js';
import type { NumberedCompletion } from './delivery-recorder.sql.js';

/** Why a completion created no delivery, with a sentence for people. */
const MESSAGES = {
  agent_unknown: 'AgentDirectory.findAgents() knows no such agent',
  agent_of_another_workspace: 'the agent belongs to another workspace than the job',
  agent_inactive: 'the agent is not active',
  rules_invalid: 'the data_sinks section of the agent’s rules does not parse, and counts as off',
  auto_push_off: 'the agent’s rule auto_push_on_job_complete is not true',
  no_sink: 'the agent has no data sink',
  sink_inactive: 'no data sink of the agent is active',
  sink_younger: 'the job completed before the agent’s data sinks were made, and was heard of only afterwards',
  already_recorded: 'this run of the job was recorded before, or was pushed by hand already',
} as const;
export type NoDeliveryReason = keyof typeof MESSAGES;

/**
 * @param agents the host's answer
 * @param sinks of the agent, in any status
 * @returns why no sink wants the completion
 */
export function whyNone(
  { workspaceId, agentId }: NumberedCompletion,
  agents: readonly Agent[],
  sinks: readonly DataSink[],
): NoDeliveryReason {
  const named = agents.filter(({ id }) => id === agentId);
  const agent = named.find((one) => one.workspaceId === workspaceId);
  if (!agent) return named.length === 0 ? 'agent_unknown' : 'agent_of_another_workspace';
  if (!agent.active) return 'agent_inactive';
  const parsed = parseRules(agent.ruleSet);
  if (!parsed.ok) return 'rules_invalid';
  if (!parsed.rules.autoPushOnJobComplete) return 'auto_push_off';
  if (sinks.length === 0) return 'no_sink';
  return sinks.every(({ status }) => status === 'INACTIVE') ? 'sink_inactive' : 'sink_younger';
}

/** The log line that answers "I finished a job and nothing happened". */
export function noDeliveryLine(
  { jobId, run, workspaceId, agentId }: NumberedCompletion,
  reason: NoDeliveryReason,
): LogFields {
  const message = `job ${jobId} of agent ${agentId} makes no delivery: ${MESSAGES[reason]}`;
  return { event: 'completion.no_delivery', message, reason, jobId, run, workspaceId, agentId };
}

/** For a completion that was heard or found, and could not be recorded. */
export function notRecordedLine(workspaceId: unknown, jobId: unknown, error: string): LogFields {
  const message = `that job ${String(jobId)} has finished could not be recorded`;
  return { event: 'completion.not_recorded', message, workspaceId, jobId, error };
}
