import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** Attributes that link an input to its label, help and error. */
export interface InputLinks {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
}

interface FieldParts {
  readonly label: string;
  readonly help: ComponentChildren;
  readonly error?: string | null;
  readonly optional?: boolean;
  readonly children: (links: InputLinks) => ComponentChildren;
}

export function Field({ label, help, error = null, optional = false, children }: FieldParts) {
  const id = useId();
  const helpId = `${id}-help`;
  const errorId = `${id}-error`;
  return (
    <div class={error === null ? 'field' : 'field field-wrong'}>
      <label for={id}>
        {label} {optional && <span class="optional">optional</span>}
      </label>
      {children({
        id,
        'aria-describedby': error === null ? helpId : `${errorId} ${helpId}`,
        'aria-invalid': error !== null,
      })}
      <FieldError id={errorId} error={error} />
      <p id={helpId} class="help">
        {help}
      </p>
    </div>
  );
}

export function FieldError({ id, error }: { id: string; error: string | null }) {
  return error === null ? null : (
    <p id={id} class="field-error" role="alert">
      {sentence(error)}
    </p>
  );
}

/** Errors are phrased to follow the field's name. */
function sentence(finding: string): string {
  const text = finding.charAt(0).toUpperCase() + finding.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

interface GroupParts {
  readonly legend: string;
  readonly help?: ComponentChildren;
  readonly error?: string | null;
  readonly children: ComponentChildren;
}

/** Several inputs as one group. */
export function FieldGroup({ legend, help, error = null, children }: GroupParts) {
  const id = useId();
  const describedBy = [error === null ? '' : `${id}-error`, help === undefined ? '' : `${id}-help`].join(' ').trim();
  return (
    <fieldset class={error === null ? 'field' : 'field field-wrong'} aria-describedby={describedBy || undefined}>
      <legend>{legend}</legend>
      {children}
      <FieldError id={`${id}-error`} error={error} />
      {help !== undefined && (
        <p id={`${id}-help`} class="help">
          {help}
        </p>
      )}
    </fieldset>
  );
}
