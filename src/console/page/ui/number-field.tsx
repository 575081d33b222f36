import { Field } from './field.js';

interface NumberFieldParts {
  readonly label: string;
  readonly help: string;
  readonly error: string | null;
  readonly optional?: boolean;
  readonly isWhole?: boolean;
  /** As typed. */
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A text input: a number input returns '' for invalid input, which would mean "no limit". */
export function NumberField({ label, help, error, optional = false, isWhole = false, ...input }: NumberFieldParts) {
  return (
    <Field label={label} help={help} error={error} optional={optional}>
      {(links) => (
        <input
          {...links}
          class="number"
          inputMode={isWhole ? 'numeric' : 'decimal'}
          value={input.value}
          onInput={(event) => input.onInput(event.currentTarget.value)}
          autocomplete="off"
        />
      )}
    </Field>
  );
}
