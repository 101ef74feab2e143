import fc from 'fast-check';

/** As much of JSON Schema as the contract and the API's document use. */
export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  items?: JsonSchema | readonly JsonSchema[];
  anyOf?: readonly JsonSchema[];
  const?: unknown;
  enum?: readonly unknown[];
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
}

const longestText = 80;
const mostItems = 4;
const greatestNumber = 1_000_000;

/** Values of the schema, but for the rules that it has no words for: what it says of names and text is more. */
export function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valuesOf));
  switch (schema.type) {
    case 'object':
      return objectsOf(schema);
    case 'array':
      return listsOf(schema);
    case 'string':
      return textsOf(schema);
    case 'integer':
    case 'number':
      return fc.integer({
        min: schema.minimum ?? -greatestNumber,
        max: Math.min(schema.maximum ?? greatestNumber, greatestNumber),
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectsOf({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
}

function listsOf({ items = {}, minItems = 0, maxItems = mostItems }: JsonSchema): fc.Arbitrary<unknown> {
  if (Array.isArray(items)) return fc.tuple(...(items as readonly JsonSchema[]).map(valuesOf));
  return fc.array(valuesOf(items as JsonSchema), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, mostItems)),
  });
}

function textsOf({
  pattern,
  format,
  minLength = 0,
  maxLength = longestText,
}: JsonSchema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  if (format === 'date-time') {
    return fc.date({ noInvalidDate: true, min: new Date(0) }).map((date) => date.toISOString());
  }
  const most = Math.max(minLength, Math.min(maxLength, longestText));
  return fc.string({
    unit: fc.constantFrom('a', 'b', ' ', 'é', '😀', '-', '_', '0'),
    minLength: Math.max(minLength, 1),
    maxLength: most,
  });
}
