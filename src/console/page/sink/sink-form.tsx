import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import { Button } from '../ui/button.js';
import { Check } from '../ui/check.js';
import { Disclosure } from '../ui/disclosure.js';
import { Field, FieldGroup } from '../ui/field.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { ADVANCED_POINTER, AdvancedFields } from './advanced-fields.js';
import { AuthFields } from './auth-fields.js';
import { checkDraft, isAdvanced, RETRYABLE, type SinkDraft } from './draft.js';
import type { FieldsParts } from './fields-parts.js';
import { HeaderFields } from './header-fields.js';

interface SinkFormParts {
  readonly initial: SinkDraft;
  readonly isNew: boolean;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly submitText: string;
  /** Called on every change. */
  readonly onTouched?: () => void;
  readonly onSubmit: (draft: SinkDraft) => void;
  readonly children?: ComponentChildren;
}

/** The fields of an HTTPS webhook with their help; errors of the API are shown at the field. */
export function SinkForm({ initial, isNew, isBusy, problem: refusal, ...rest }: SinkFormParts) {
  const { submitText, onTouched, onSubmit, children } = rest;
  const [draft, setDraft] = useState(initial);
  const [mistyped, setMistyped] = useState<Problem | null>(null);
  const problem = mistyped ?? refusal;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problem]);
  const change = (part: Partial<SinkDraft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    onTouched?.();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const found = checkDraft(draft);
    setMistyped(found);
    if (!found) onSubmit(draft);
  };
  const fields: FieldsParts = { draft, isNew, problem, change };
  return (
    <form ref={form} class="form" onSubmit={submit} noValidate>
      <BasicFields {...fields} />
      <AuthFields {...fields} />
      <Disclosure
        summary="More settings"
        startsOpen={initial.headers.length > 0 || initial.retryable.length > 0}
        hasErrors={hasErrors(problem, MORE_POINTER)}
      >
        <HeaderFields {...fields} />
        <RetryableFields {...fields} />
      </Disclosure>
      <Disclosure
        summary="Advanced: format, size and pace"
        startsOpen={isAdvanced(initial)}
        hasErrors={hasErrors(problem, ADVANCED_POINTER)}
      >
        <AdvancedFields {...fields} />
      </Disclosure>
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

const MORE_POINTER = /^\/config\/(customHeaders|retryableStatuses)/;
const BASIC_POINTER = /^\/(name|secret|secret\/value|config\/(url|authScheme|username))$/;

/** Errors shown at the fields are not repeated. */
function FormProblem({ problem }: { problem: Problem | null }) {
  const isAtFields =
    problem &&
    problem.errors.length > 0 &&
    problem.errors.every(({ pointer }) =>
      [BASIC_POINTER, MORE_POINTER, ADVANCED_POINTER].some((place) => place.test(pointer)),
    );
  return isAtFields ? (
    <Notice tone="bad" role="alert">
      {problem.code === 'secret-required' ? problem.detail : 'It is not saved yet: see what is marked above.'}
    </Notice>
  ) : (
    <ProblemNotice problem={problem} />
  );
}

function hasErrors(problem: Problem | null, place: RegExp): boolean {
  return problem?.errors.some(({ pointer }) => place.test(pointer)) ?? false;
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
        <Check
          key={status}
          isOn={draft.retryable.includes(status)}
          onChange={(isOn) =>
            change({
              retryable: isOn ? [...draft.retryable, status] : draft.retryable.filter((other) => other !== status),
            })
          }
        >
          {status} <span class="quiet">{says}</span>
        </Check>
      ))}
    </FieldGroup>
  );
}
