import type { Problem } from '../api/problem.js';
import { Field } from '../ui/field.js';
import type { FormatSettings } from './format-details.js';
import type { S3Draft } from './s3-sink.js';

/** The fields that are typed. */
type TextField = Exclude<keyof S3Draft, 'access' | keyof FormatSettings>;

export interface TextParts {
  readonly draft: S3Draft;
  readonly problem: Problem | null;
  readonly change: (part: Partial<S3Draft>) => void;
}

interface TextFieldParts extends TextParts {
  readonly field: TextField;
  readonly label: string;
  readonly pointer: string;
  readonly help: string;
  readonly mono?: boolean;
  readonly optional?: boolean;
  readonly hidden?: boolean;
}

const PLAIN = { type: 'text', autocomplete: 'off' } as const;
const PASSWORD = { type: 'password', autocomplete: 'new-password' } as const;

/** One line of text. */
export function Text({ draft, problem, change, field, label, pointer, help, ...looks }: TextFieldParts) {
  return (
    <Field label={label} help={help} error={problem?.at(pointer) ?? null} optional={looks.optional ?? false}>
      {(links) => (
        <input
          {...links}
          {...(looks.hidden ? PASSWORD : PLAIN)}
          class={looks.mono ? 'mono' : ''}
          value={draft[field]}
          onInput={(event) => change({ [field]: event.currentTarget.value })}
          spellcheck={false}
        />
      )}
    </Field>
  );
}
