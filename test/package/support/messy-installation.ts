/** What both messy hosts install, beside their Nest. */
export const MESSY_DEPENDENCIES = {
  '@nestjs/throttler': '6.7.1',
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/auto-instrumentations-node': '0.81.0',
  '@opentelemetry/core': '2.12.1',
  '@opentelemetry/instrumentation': '0.223.0',
  '@opentelemetry/sdk-trace-node': '2.12.1',
  bull: '4.16.5',
} as const;

const parts = ['database', 'environment', 'habits', 'host', 'module', 'ports', 'routes'];

export const MESSY_SOURCES = parts.map((part) => `test/package/hosts/messy/messy-${part}.ts`);

export const MESSY_SCRIPTS = ['test/package/hosts/messy/messy-tracing.mjs'];
