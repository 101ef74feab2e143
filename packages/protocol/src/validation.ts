import type { Static, TSchema } from '@parley/schema';
import { Compile } from '@parley/schema/compile';
import type { Validator } from '@parley/schema/compile';
import { ParleyError } from './errors.ts';

const validators = new WeakMap<TSchema, Validator>();

/** The schema's compiled check, compiled at its first use. */
function validatorOf(schema: TSchema): Validator {
  let validator = validators.get(schema);
  if (!validator) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator;
}

/** Whether the value has the schema's shape. Tens of nanoseconds once compiled. */
export function matches<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  return validatorOf(schema).Check(value);
}

/**
 * The value, known to have the schema's shape.
 * @throws ParleyError `missing_field` or `invalid_field`, naming the first offending field.
 */
export function validated<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> {
  if (matches(schema, value)) return value;
  throw firstError(validatorOf(schema), value);
}

function firstError(validator: Validator, value: unknown): ParleyError {
  const errors = validator.Errors(value);
  const missing = errors.find(({ keyword }) => keyword === 'required');
  if (missing) {
    const { requiredProperties } = missing.params as { requiredProperties: string[] };
    const field = [...pathOf(missing.instancePath), requiredProperties[0]].join('.');
    return new ParleyError(
      'missing_field',
      { field },
      { message: `The field \`${field}\` is missing; add it.` },
    );
  }
  const first = errors[0];
  const field = first ? pathOf(first.instancePath).join('.') : '';
  const subject = field === '' ? 'The request' : `The field \`${field}\``;
  const message = `${subject} is invalid: it ${first?.message ?? 'is not as expected'}.`;
  return new ParleyError('invalid_field', field === '' ? {} : { field }, { message });
}

function pathOf(instancePath: string): string[] {
  return instancePath.split('/').slice(1);
}
