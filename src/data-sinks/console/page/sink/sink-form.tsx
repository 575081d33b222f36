import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import { Button } from '../ui/button.js';
import { Field, FieldGroup } from '../ui/field.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { AuthFields } from './auth-fields.js';
import { RETRYABLE, type SinkDraft } from './draft.js';
import { HeaderFields } from './header-fields.js';

interface SinkFormParts {
  readonly initial: SinkDraft;
  readonly isNew: boolean;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly submitText: string;
  readonly onSubmit: (draft: SinkDraft) => void;
  readonly children?: ComponentChildren;
}

export interface FieldsParts {
  readonly draft: SinkDraft;
  readonly isNew: boolean;
  readonly problem: Problem | null;
  readonly change: (change: Partial<SinkDraft>) => void;
}

/** The fields of an HTTPS webhook, each with its help; what the API finds wrong is said at the field. */
export function SinkForm({ initial, isNew, isBusy, problem, submitText, onSubmit, children }: SinkFormParts) {
  const [draft, setDraft] = useState(initial);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problem]);
  const change = (part: Partial<SinkDraft>): void => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit(draft);
  };
  const fields: FieldsParts = { draft, isNew, problem, change };
  return (
    <form ref={form} class="form" onSubmit={submit} noValidate>
      <BasicFields {...fields} />
      <AuthFields {...fields} />
      <details class="more" open={draft.headers.length > 0 || draft.retryable.length > 0 || hasMoreErrors(problem)}>
        <summary>More settings</summary>
        <div class="stack">
          <HeaderFields {...fields} />
          <RetryableFields {...fields} />
        </div>
      </details>
      <FormProblem problem={problem} />
      <div class="form-actions">
        <Button type="submit" kind="primary" isBusy={isBusy}>
          {submitText}
        </Button>
        {children}
      </div>
    </form>
  );
}

const AT_FIELDS =
  /^\/(name|secret|secret\/value|config\/(url|authScheme|username|retryableStatuses|customHeaders(\/\d+.*)?))$/;

/** What is said at the fields is not said twice. */
function FormProblem({ problem }: { problem: Problem | null }) {
  const isAtFields =
    problem && problem.errors.length > 0 && problem.errors.every(({ pointer }) => AT_FIELDS.test(pointer));
  return isAtFields ? (
    <Notice tone="bad" role="alert">
      {problem.code === 'secret-required' ? problem.detail : 'It is not saved yet: see what is marked above.'}
    </Notice>
  ) : (
    <ProblemNotice problem={problem} />
  );
}

function hasMoreErrors(problem: Problem | null): boolean {
  return problem?.errors.some(({ pointer }) => /^\/config\/(customHeaders|retryableStatuses)/.test(pointer)) ?? false;
}

function BasicFields({ draft, problem, change }: FieldsParts) {
  return (
    <>
      <Field
        label="Name"
        help="For your team: what is behind this endpoint, such as “Internal BI ingest”."
        error={problem?.at('/name')}
      >
        {(links) => (
          <input
            {...links}
            type="text"
            value={draft.name}
            maxLength={120}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field
        label="Endpoint URL"
        help="Where results are posted: https, a public host name, the standard port. Redirects are not followed, so enter the final address."
        error={problem?.at('/config/url')}
      >
        {(links) => (
          <input
            {...links}
            type="url"
            inputMode="url"
            class="mono"
            placeholder="https://internal.acme.com/mapping-results"
            value={draft.url}
            onInput={(event) => change({ url: event.currentTarget.value })}
            autocomplete="off"
            spellcheck={false}
          />
        )}
      </Field>
    </>
  );
}

function RetryableFields({ draft, problem, change }: FieldsParts) {
  return (
    <FieldGroup
      legend="Statuses to try again"
      help="A 4xx answer means no, and is final. Tick those that mean “later” at your endpoint."
      error={problem?.at('/config/retryableStatuses')}
    >
      {RETRYABLE.map(({ status, says }) => (
        <label class="check" key={status}>
          <input
            type="checkbox"
            checked={draft.retryable.includes(status)}
            onChange={(event) =>
              change({
                retryable: event.currentTarget.checked
                  ? [...draft.retryable, status]
                  : draft.retryable.filter((other) => other !== status),
              })
            }
          />
          <span>
            {status} <span class="quiet">{says}</span>
          </span>
        </label>
      ))}
    </FieldGroup>
  );
}
