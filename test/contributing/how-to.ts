/** One step of a list, and the files and folders that it sends its reader to. */
export interface Step {
  number: number;
  /** From the root. */
  paths: Path[];
}

/** A file, or with a slash at its end everything in a folder; `*` stands for any part of a name. */
export class Path {
  readonly name: string;
  readonly #pattern: RegExp;

  /** @param name From the root. */
  constructor(name: string) {
    const parts = name.split('*').map((part) => part.replaceAll('.', '\\.'));
    this.name = name;
    this.#pattern = new RegExp(`^${parts.join('[^/]*')}${name.endsWith('/') ? '' : '$'}`);
  }

  covers(file: string): boolean {
    return this.#pattern.test(file);
  }
}

/**
 * The steps of the list below a heading. A path in backticks is one from the root, or from the folder that the step named last before it.
 * A folder without a slash at its end only says where the next ones are.
 * @param page In Markdown.
 * @param files All files of the repository, from the root.
 */
export function readSteps(heading: string, page: string, files: readonly string[]): Step[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [list = ''] = section.split('\n## ');
  return [...list.matchAll(/^(\d+)\. (.*)$/gm)].map(([, number, text]) => ({
    number: Number(number),
    paths: pathsIn(text!, files),
  }));
}

function pathsIn(text: string, files: readonly string[]): Path[] {
  const paths: Path[] = [];
  let folder = '';
  for (const [, name] of text.matchAll(/`([^`]+)`/g)) {
    if (!isPath(name!)) continue;
    const inFolder = new Path(`${folder}${name}`);
    const path = files.some((file) => inFolder.covers(file)) ? inFolder : new Path(name!);
    const isPlace = !isFileName(name!) && !name!.endsWith('/');
    if (!isPlace) paths.push(path);
    folder = isPlace ? `${path.name}/` : path.name.slice(0, path.name.lastIndexOf('/') + 1);
  }
  return paths;
}

/** Commands, names of the code and routes are in backticks, too. */
function isPath(quoted: string): boolean {
  const isOther = quoted.startsWith('/') || /[\s(){}<>@=:]/.test(quoted);
  return !isOther && (quoted.includes('/') || isFileName(quoted));
}

function isFileName(name: string): boolean {
  return name === 'Dockerfile' || /\.(acl|conf|example|js|json|md|mjs|sh|sql|ts|ya?ml)$/.test(name);
}
