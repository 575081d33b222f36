import { Choice } from '../ui/choice.js';
import { FieldGroup } from '../ui/field.js';
import { Text, type TextParts } from './s3-text.js';

interface AccessParts extends TextParts {
  readonly isNew: boolean;
}

/** What objects are written with: two keys, or a role. */
export function AccessFields({ isNew, ...text }: AccessParts) {
  const { draft, change } = text;
  const isRole = draft.access === 'role';
  return (
    <>
      <FieldGroup legend="Access">
        <div class="choices">
          <Choice
            name="access"
            title="Keys"
            says="An access key id and a secret access key, of any store."
            isChosen={!isRole}
            onChoose={() => change({ access: 'keys' })}
          />
          <Choice
            name="access"
            title="A role at AWS"
            says="We assume it to write, with an external id that you see once it is saved. There is no secret."
            isChosen={isRole}
            onChoose={() => change({ access: 'role', accessKeyId: '', secretAccessKey: '' })}
          />
        </div>
      </FieldGroup>
      {isRole ? <Role {...text} /> : <Keys {...text} isNew={isNew} />}
    </>
  );
}

function Role(text: TextParts) {
  return (
    <Text
      {...text}
      field="roleArn"
      label="Role"
      pointer="/config/roleArn"
      help="Its ARN, such as arn:aws:iam::123456789012:role/mapping-results. The trust policy that it needs is shown once it is saved."
      mono
    />
  );
}

/** The two values of the secret. */
function Keys({ isNew, ...text }: AccessParts) {
  const keeps = isNew ? '' : 'Leave both empty to keep the stored ones. ';
  const missing = text.problem?.at('/secret') ?? null;
  return (
    <>
      <Text
        {...text}
        field="accessKeyId"
        label="Access key id"
        pointer={missing === null ? '/secret/accessKeyId' : '/secret'}
        help={`${keeps}Another bucket, region or store, or a wider prefix, needs the keys again.`}
        optional={!isNew}
        mono
      />
      <Text
        {...text}
        field="secretAccessKey"
        label="Secret access key"
        pointer="/secret/secretAccessKey"
        help="It is kept encrypted and never shown again."
        optional={!isNew}
        mono
        hidden
      />
    </>
  );
}
