import type { AuthScheme } from '../api/types.js';
import { SCHEMES } from '../text/labels.js';
import { Choice } from '../ui/choice.js';
import { Field, FieldGroup } from '../ui/field.js';
import type { FieldsParts } from './fields-parts.js';

const SCHEME_NAMES = Object.keys(SCHEMES) as AuthScheme[];

/** The authentication scheme and its secret. */
export function AuthFields(fields: FieldsParts) {
  const { draft, problem, change, isNew } = fields;
  const isSigned = draft.authScheme === 'HmacSha256';
  return (
    <>
      <FieldGroup legend="How your endpoint knows that it is us" error={problem?.at('/config/authScheme')}>
        <div class="choices">
          {SCHEME_NAMES.map((scheme) => (
            <Choice
              key={scheme}
              name="scheme"
              title={SCHEMES[scheme].name}
              says={SCHEMES[scheme].says}
              isChosen={draft.authScheme === scheme}
              onChoose={() => change({ authScheme: scheme })}
            />
          ))}
        </div>
      </FieldGroup>
      {draft.authScheme === 'Basic' && (
        <Field label="Username" help="Sent with the password." error={problem?.at('/config/username')}>
          {(links) => (
            <input
              {...links}
              type="text"
              value={draft.username}
              onInput={(event) => change({ username: event.currentTarget.value })}
              autocomplete="off"
              spellcheck={false}
            />
          )}
        </Field>
      )}
      {isNew && isSigned && (
        <WhoMakesTheSecret
          isGenerated={draft.isGenerated}
          onChoose={(isGenerated) => change({ isGenerated, secret: '' })}
        />
      )}
      {!(isNew && isSigned && draft.isGenerated) && <SecretField {...fields} />}
    </>
  );
}

interface WhoParts {
  readonly isGenerated: boolean;
  readonly onChoose: (isGenerated: boolean) => void;
}

/** Who creates a signing secret. */
export function WhoMakesTheSecret({ isGenerated, onChoose }: WhoParts) {
  return (
    <FieldGroup legend="Signing secret">
      <div class="choices">
        <Choice
          name="secret"
          title="Make one for me"
          says="32 random bytes. You see it once, right after."
          isChosen={isGenerated}
          onChoose={() => onChoose(true)}
        />
        <Choice
          name="secret"
          title="Use mine"
          says="At least 16 bytes; 32 random bytes are better."
          isChosen={!isGenerated}
          onChoose={() => onChoose(false)}
        />
      </div>
    </FieldGroup>
  );
}

const SECRET_NAMES: Readonly<Record<AuthScheme, string>> = {
  HmacSha256: 'Secret',
  Bearer: 'Token',
  Basic: 'Password',
};

function SecretField({ draft, problem, change, isNew }: FieldsParts) {
  const keeps = 'Leave it empty to keep the stored one. Changing the host, or how it is used, needs it again.';
  return (
    <SecretInput
      scheme={draft.authScheme}
      optional={!isNew}
      help={isNew ? '' : keeps}
      error={problem?.at('/secret/value') ?? problem?.at('/secret') ?? null}
      value={draft.secret}
      onInput={(secret) => change({ secret })}
    />
  );
}

interface SecretInputParts {
  readonly scheme: AuthScheme;
  readonly optional?: boolean;
  readonly help?: string;
  readonly error: string | null;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A secret given by the customer. */
export function SecretInput({ scheme, optional = false, help = '', error, value, onInput }: SecretInputParts) {
  return (
    <Field
      label={SECRET_NAMES[scheme]}
      optional={optional}
      help={`${help} It is kept encrypted and never shown again.`.trim()}
      error={error}
    >
      {(links) => (
        <input
          {...links}
          type="password"
          class="mono"
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
          autocomplete="new-password"
          spellcheck={false}
        />
      )}
    </Field>
  );
}
