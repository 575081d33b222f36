import { Choice } from '../ui/choice.js';
import { FieldGroup } from '../ui/field.js';
import { NumberField } from '../ui/number-field.js';

export interface Overlap {
  readonly choice: 'day' | 'none' | 'hours';
  /** As typed. */
  readonly hours: string;
}

const DAY_S = 86_400;
const HOUR_S = 3_600;

const CHOICES: readonly { readonly choice: Overlap['choice']; readonly title: string; readonly says: string }[] = [
  {
    choice: 'day',
    title: 'Both for 24 hours',
    says: 'Time for your endpoint to change over.',
  },
  {
    choice: 'hours',
    title: 'Both for longer or shorter',
    says: 'As many hours as your change-over takes, 720 at most.',
  },
  {
    choice: 'none',
    title: 'At once: the old one has leaked',
    says: 'Nothing is signed with the old one any more. Pushes fail until your endpoint knows the other.',
  },
];

interface OverlapParts {
  readonly overlap: Overlap;
  readonly error: string | null;
  readonly onChange: (overlap: Overlap) => void;
}

/** How long the old signing secret remains valid. */
export function OverlapFields({ overlap, error, onChange }: OverlapParts) {
  const isByHours = overlap.choice === 'hours';
  return (
    <>
      <FieldGroup
        legend="How long the old one signs too"
        help={
          overlap.choice === 'none' ? undefined : (
            <>
              From then on <span class="mono">X-MT-Signature</span> is made with the one that comes into force, and{' '}
              <span class="mono">X-MT-Signature-Previous</span> with the old one. An endpoint that takes either misses
              nothing; one that knows the old one only has to look at the second. In the end the old one is destroyed.
            </>
          )
        }
        error={isByHours ? null : error}
      >
        <div class="choices">
          {CHOICES.map(({ choice, title, says }) => (
            <Choice
              key={choice}
              name="overlap"
              title={title}
              says={says}
              isChosen={overlap.choice === choice}
              onChoose={() => onChange({ ...overlap, choice })}
            />
          ))}
        </div>
      </FieldGroup>
      {isByHours && (
        <NumberField
          label="Hours"
          help="0.5 is half an hour."
          error={error}
          value={overlap.hours}
          onInput={(hours) => onChange({ ...overlap, hours })}
        />
      )}
    </>
  );
}

/** -1 for text that is not a number; the API then reports an error at the field. */
export function secondsOf({ choice, hours }: Overlap): number {
  if (choice !== 'hours') return choice === 'day' ? DAY_S : 0;
  const seconds = Math.round(Number(hours) * HOUR_S);
  return hours.trim() === '' || Number.isNaN(seconds) ? -1 : seconds;
}
