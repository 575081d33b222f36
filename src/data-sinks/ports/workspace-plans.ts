/** The option `entitledPlans` lists the plans that include data sinks: by default Pro Max and Enterprise. */
export const DEFAULT_ENTITLED_PLANS: readonly string[] = ['PRO_MAX', 'ENTERPRISE'];

/** The plan of each workspace. Called when a sink is configured and before every attempt. */
export abstract class WorkspacePlans {
  /**
   * @param workspaceIds `ws_…`, without duplicates, at most 256
   * @returns plan by workspace id, e.g. `PRO_MAX`, without unknown workspaces
   * @throws when the host is unavailable: nothing is lost and no retry is used
   */
  abstract findPlans(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
