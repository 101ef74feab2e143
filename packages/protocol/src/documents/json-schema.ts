import type { Words } from './description.ts';

/** JSON Schema as readers get it: data, without what only our compiled checks know. */
export interface JsonSchema {
  type?: string;
  description?: string;
  examples?: unknown[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema | JsonSchema[];
  minimum?: number;
  maximum?: number;
  [keyword: string]: unknown;
}

/** How the fields of one message are told. */
export interface Telling {
  words: Words;
  /** The field that holds the body of a message: nothing is said of it, and its fields are those of the message. */
  bodyField: string | undefined;
  /** The names of fields that go beyond the original protocol. */
  extensions: readonly string[];
}

/**
 * The schema with a description and an example for each field.
 * @param parent The field that holds it, or the message's action: `parent.name` is looked up before `name`.
 * @throws Error naming a field that the words do not have.
 */
export function toldSchema(schema: object, parent: string, telling: Telling): JsonSchema {
  return withWords(JSON.parse(JSON.stringify(schema)) as JsonSchema, parent, telling);
}

function withWords(schema: JsonSchema, parent: string, telling: Telling): JsonSchema {
  const { properties, items, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(anyOf && choiceOf(anyOf, parent, telling)),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, toldField(field, name, parent, telling)]),
      ),
    }),
    ...(items && { items: Array.isArray(items) ? items : withWords(items, parent, telling) }),
  };
}

/** Of constants it is a list of values. */
function choiceOf(choices: JsonSchema[], parent: string, telling: Telling): JsonSchema {
  const isOfConstants = choices.every((choice) => typeof choice.const === 'string');
  return isOfConstants
    ? { type: 'string', enum: choices.map((choice) => choice.const) }
    : { anyOf: choices.map((choice) => withWords(choice, parent, telling)) };
}

function toldField(schema: JsonSchema, name: string, parent: string, telling: Telling): JsonSchema {
  const { words, extensions, bodyField } = telling;
  if (schema.const !== undefined) return schema;
  if (name === bodyField) return withWords(schema, parent, telling);
  const told = withWords(schema, name, telling);
  const found = words[`${parent}.${name}`] ?? words[name];
  if (!found)
    throw new Error(
      `Nothing is said of the field ${name} of ${parent}: not in the words of its dialect or in shared-words.ts.`,
    );
  const { description, example, schema: more } = found;
  return {
    ...told,
    ...more,
    description: told.description ?? (extensions.includes(name) ? `*(ext)* ${description}` : description),
    ...(told.examples === undefined && example !== undefined && { examples: [example] }),
  };
}

/**
 * A value of the schema, made of the examples of its fields.
 * @param shown The optional fields that it has.
 */
export function exampleOf(schema: JsonSchema, shown: readonly string[]): unknown {
  const { examples, enum: values, anyOf, properties, required = [], items } = schema;
  if (examples) return examples[0];
  if (schema.const !== undefined) return schema.const;
  if (values) return values[0];
  if (anyOf) return exampleOf(anyOf[0]!, shown);
  if (properties) {
    const present = Object.entries(properties).filter(
      ([name]) => required.includes(name) || shown.includes(name),
    );
    return Object.fromEntries(present.map(([name, field]) => [name, exampleOf(field, shown)]));
  }
  if (items) return [items].flat().map((item) => exampleOf(item, shown));
  if (schema.type === 'boolean') return true;
  if (schema.type === 'integer') return schema.minimum ?? 0;
  throw new Error(`There is no example of ${schema.description ?? JSON.stringify(schema)}`);
}
