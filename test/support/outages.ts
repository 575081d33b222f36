import { Outages } from '../../src/data-sinks/telemetry/outages.js';
import { Telemetry } from '../../src/data-sinks/telemetry/telemetry.js';

/** What the module injects where no SDK measures. */
export function newOutages(): Outages {
  return new Outages(new Telemetry());
}
