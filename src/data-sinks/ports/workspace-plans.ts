/** The plans that include data sinks are the module's option `entitledPlans`, by default Pro Max and Enterprise. */
export const DEFAULT_ENTITLED_PLANS: readonly string[] = ['PRO_MAX', 'ENTERPRISE'];

/** What each workspace has bought. Asked when a sink is configured and before every attempt. */
export abstract class WorkspacePlans {
  /**
   * @param workspaceIds `ws_…`, without repetition, at most 256
   * @returns plan by workspace id, such as `PRO_MAX`; unknown workspaces are left out
   * @throws when the host cannot answer now: nothing is lost, and no customer's retry is spent
   */
  abstract findPlans(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
