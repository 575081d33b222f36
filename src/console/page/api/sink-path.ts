/** The parameters of a sink's path. */
export function sinkPath(agentId: string, sinkId: string) {
  return { path: { agentId, sinkId } };
}
