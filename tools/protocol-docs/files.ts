import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { asyncApiOf, descriptions } from '@parley/protocol/documents';
import { format } from 'prettier';
import { guideSections } from './guide-sections.ts';

/** Where the documents and guides of the dialects are. */
export const folder = fileURLToPath(new URL('../../docs/protocol/', import.meta.url));

const made = /(<!-- made by npm run docs: ([\w ]+) -->\n).*?(<!-- end -->)/gs;

/** The files of `docs/protocol` as they have to be, by their names: documents whole, guides with the parts that are made of the code. */
export async function protocolFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const description of descriptions) {
    const { name } = description.dialect;
    const document = asyncApiOf(description);
    files.set(
      `${name}.asyncapi.json`,
      await format(JSON.stringify(document), { parser: 'json', printWidth: 110 }),
    );
    const guide = await readFile(`${folder}${name}.md`, 'utf8');
    files.set(`${name}.md`, filled(guide, guideSections(description, document)));
  }
  return files;
}

/** @throws Error naming a part that there is not. */
function filled(guide: string, sections: ReadonlyMap<string, string>): string {
  return guide.replace(made, (_part, begin: string, name: string, end: string) => {
    const section = sections.get(name);
    if (section === undefined)
      throw new Error(`There is no part ${name}; there are ${[...sections.keys()].join(', ')}`);
    return `${begin}\n${section}\n\n${end}`;
  });
}
