import { Transform } from 'class-transformer';
import { IsDate } from 'class-validator';

/** RFC 3339. Other texts and numbers that `Date` accepts are seldom meant as times. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

/** `Date` takes the 31st of February for the 3rd of March. */
function isDay(time: string): boolean {
  const day = time.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** A time parameter of the API, converted to a `Date`. */
export function IsTime(): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && TIME.test(value) && isDay(value) ? new Date(value) : value,
  );
  const check = IsDate({ message: 'must be a time such as 2026-05-25T12:34:56Z' });
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}
