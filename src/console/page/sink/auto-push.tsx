import { useState } from 'preact/hooks';
import type { AgentRules } from '../api/host-calls.js';
import type { AgentStatus, Sink } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Loaded } from '../ui/states.js';
import { whenRetriesEnd } from '../text/retries.js';
import { AutoPushDialog } from './auto-push-dialog.js';
import { TestResult } from './test-result.js';

const MAX_RETRIES = 10;

interface AutoPushParts {
  readonly agentId: string;
  readonly sinks: readonly Sink[];
  readonly agentStatus: AgentStatus | null;
  /** The host has no endpoint for agents: "no rules" may then mean that it has no endpoint for rules either. */
  readonly isAgentUnread: boolean;
}

/** The agent's auto-push rule. */
export function AutoPush(parts: AutoPushParts) {
  const { agentId, isAgentUnread } = parts;
  const api = useApi();
  const rules = useResource(`rules ${agentId}`, () => api.rules(agentId));
  return (
    <section class="card pad stack auto-push" aria-labelledby="auto-push-title">
      <h2 id="auto-push-title">Automatic pushes</h2>
      <Loaded of={rules} lines={3}>
        {(data) =>
          data.found === 'no-endpoint' || (data.found === 'none' && isAgentUnread) ? (
            <Notice tone="info" title="Not known here">
              The platform does not show this console whether finished jobs of this agent are pushed by themselves. It
              is off until the agent’s rules switch it on.
            </Notice>
          ) : (
            <Rules {...parts} rules={data} onSaved={rules.reload} />
          )
        }
      </Loaded>
    </section>
  );
}

interface RulesParts extends AutoPushParts {
  readonly rules: AgentRules;
  readonly onSaved: () => Promise<void>;
}

function Rules({ agentId, sinks, agentStatus, rules, onSaved }: RulesParts) {
  const api = useApi();
  const [isAsking, setAsking] = useState(false);
  const save = async (change: Partial<AgentRules>): Promise<void> => {
    // The rest of the rule set belongs to the host: write the current one with our change.
    await api.writeRules(agentId, { ...(await api.rules(agentId)), ...change });
    setAsking(false);
    await onSaved();
  };
  const saving = useAction(save);
  const active = sinks.filter(({ status }) => status === 'ACTIVE');
  const turn = (): void => {
    saving.clear();
    if (rules.autoPush) void saving.run({ autoPush: false });
    else setAsking(true);
  };
  return (
    <>
      <button
        type="button"
        role="switch"
        class="switch"
        aria-checked={rules.autoPush}
        aria-busy={saving.isRunning}
        aria-describedby="auto-push-warning"
        onClick={turn}
      >
        <span class="switch-track" aria-hidden="true">
          <span class="switch-thumb" />
        </span>
        Push when a job finishes
      </button>
      <p id="auto-push-warning" class="help">
        A push sends data out of the platform and cannot be undone. It is off until you switch it on.
      </p>
      {!isAsking && <ProblemNotice problem={saving.problem} />}
      {rules.autoPush && agentStatus !== null && agentStatus !== 'ACTIVE' && (
        <Notice tone="warn">The agent is not active: nothing is pushed until it is.</Notice>
      )}
      {active.length > 0 && (
        <ul class="tests" aria-label="Last tests">
          {active.map((sink) => (
            <TestResult key={sink.id} sink={sink} />
          ))}
        </ul>
      )}
      <Retries key={rules.retries} rules={rules} onSave={(retries) => save({ retries })} />
      {isAsking && (
        <AutoPushDialog
          sinks={active}
          isBusy={saving.isRunning}
          problem={saving.problem}
          onClose={() => setAsking(false)}
          onConfirm={() => void saving.run({ autoPush: true })}
        />
      )}
    </>
  );
}

function Retries({ rules, onSave }: { rules: AgentRules; onSave: (retries: number) => Promise<void> }) {
  const [text, setText] = useState(String(rules.retries));
  const saving = useAction(() => onSave(Number(text)));
  const isChanged = text !== String(rules.retries);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isChanged) void saving.run();
  };
  const fieldError = saving.problem?.at('/data_sinks/retry_failed_push') ?? null;
  return (
    <form class="stack tight" onSubmit={submit} noValidate>
      <Field
        label="Retries after a failed push"
        help={`0 to ${MAX_RETRIES}, by default after 5 s, 30 s, then every 5 min. An answer of 4xx is never tried again. ${whenRetriesEnd(rules.retries)}`}
        error={fieldError}
      >
        {(links) => (
          <span class="inline">
            <input
              {...links}
              type="number"
              class="number"
              min={0}
              max={MAX_RETRIES}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            {isChanged && (
              <Button type="submit" isBusy={saving.isRunning}>
                Save
              </Button>
            )}
          </span>
        )}
      </Field>
      {fieldError === null && <ProblemNotice problem={saving.problem} />}
    </form>
  );
}
