import type { SinkTest } from '../api/types.js';

/** What a test found, as this tab remembers it. The platform keeps no list of tests. */
export interface LastTest {
  readonly passed: boolean;
  readonly at: string;
  readonly advice: string | null;
  /** A test of an earlier configuration says nothing about this one. */
  readonly configVersion: number;
}

export function rememberTest(sinkId: string, configVersion: number, test: SinkTest, at: Date): void {
  const last: LastTest = { passed: test.passed, at: at.toISOString(), advice: test.advice, configVersion };
  sessionStorage.setItem(key(sinkId), JSON.stringify(last));
}

/** @returns null when this configuration was not tested in this tab */
export function lastTest(sink: { readonly id: string; readonly configVersion: number }): LastTest | null {
  const stored = sessionStorage.getItem(key(sink.id));
  const last = stored === null ? null : (JSON.parse(stored) as LastTest);
  return last?.configVersion === sink.configVersion ? last : null;
}

function key(sinkId: string): string {
  return `data-sinks-console:test:${sinkId}`;
}
