import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { keyText } from '../../domain/key-text.js';
import { parseRules } from '../../domain/data-sink-rules.js';
import { EventLog } from '../../tools/event-log.js';
import type { Agent } from '../agent-directory.js';

/** Maximum number of agents to remember; the oldest may be warned about again. */
const REMEMBERED = 10_000;

const FINDINGS_SHOWN = 5;

/** Warns about rules that do not parse, once per rule set. They count as off, and nothing else reports it. */
@Injectable()
export class RuleSetWarnings {
  readonly #log = new EventLog();
  /** Last findings by agent. */
  readonly #warned = new LRUCache<string, string>({ max: REMEMBERED });

  check({ id: agentId, workspaceId, ruleSet }: Agent): void {
    const parsed = parseRules(ruleSet);
    const key = keyText(workspaceId, agentId);
    if (parsed.ok) {
      this.#warned.delete(key);
      return;
    }
    const shown = parsed.violations.slice(0, FINDINGS_SHOWN);
    const findings = shown.map(({ pointer, detail }) => `${pointer || '/'} ${detail}`).join('; ');
    if (this.#warned.get(key) === findings) return;
    this.#warned.set(key, findings);
    this.#log.warn({
      event: 'rules.invalid',
      message: `the data_sinks rules of agent ${agentId} are invalid, so none of its jobs is pushed`,
      ...{ agentId, workspaceId, findings },
    });
  }
}
