import { isJsonObject, validated } from '@parley/protocol';
import type { TSchema } from '@parley/schema';
import type { HttpApp } from './app.ts';
import { noJson } from './errors.ts';

const integerText = /^-?\d+$/;

/** Has the parts of a request checked by our own compiled validators; what fails is named as in every dialect. */
export function useOwnValidators(app: HttpApp): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const read = readers[httpPart ?? ''] ?? ((_schema: TSchema, data: unknown) => data);
    return (data: unknown) => {
      try {
        return { value: validated(schema, read(schema, data)) };
      } catch (error) {
        return { error: error as Error };
      }
    };
  });
  // The services' answers are what their schemas say; the schemas here are for readers.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** How what came becomes what the schema speaks of. */
const readers: Record<string, (schema: TSchema, data: unknown) => unknown> = {
  body(schema, data) {
    // Where anything will do, it is bytes.
    if ('type' in schema && !isJsonObject(data)) throw noJson();
    return data;
  },

  /** Everything in a query is text: where a whole number is due, its digits are read as one. */
  querystring(schema, data) {
    const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
    return Object.fromEntries(
      Object.entries(data as object).map(([name, value]: [string, unknown]) => {
        const isDue = Object.hasOwn(properties, name) && properties[name]?.type === 'integer';
        return [name, isDue && typeof value === 'string' && integerText.test(value) ? Number(value) : value];
      }),
    );
  },
};
