export const PORTS = ['agentDirectory', 'workspacePlans', 'mappingResults', 'workspaceAccess'] as const;

/** A source that forgets each port once. */
export function forgottenPort(): string {
  const modules = PORTS.map((forgotten) => {
    const given = PORTS.filter((port) => port !== forgotten).map((port) => `${port}: ports.${port}`);
    return `export const without_${forgotten} = DataSinksModule.forRoot({ vaultKeys: '', ports: { ${given.join(', ')} } });`;
  });
  return [
    "import { DataSinksModule, type DataSinksPorts } from 'nestjs-data-sinks';",
    'declare const ports: DataSinksPorts;',
    ...modules,
    '',
  ].join('\n');
}
