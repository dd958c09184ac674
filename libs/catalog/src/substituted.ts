import { type CatalogFile, type CatalogProblem, listed } from './problem.ts'

/** The text with each `${NAME}` outside of comment lines replaced. Lines stay where they are. */
export function substituted(
  file: CatalogFile,
  variables: Readonly<Record<string, string>>,
  problems: CatalogProblem[],
): string {
  const replaced = (line: string, index: number): string =>
    line.replace(/\$\{([^}]*)\}/g, (whole, variable: string) => {
      const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
      const problem =
        value === undefined
          ? `unknown variable ${whole}; given: ${listed(Object.keys(variables))}; give it with --set ${variable}=<value>, or write the value here`
          : // A value is a word, so that it cannot add fields.
            /^[A-Za-z0-9._:/@-]*$/.test(value)
            ? null
            : `the value of ${whole} may hold only letters, digits and . _ : / @ -`
      if (problem !== null) problems.push({ file: file.name, line: index + 1, message: problem })
      // This text fits most fields, so that one missing variable gives one problem.
      return problem === null ? (value ?? '') : '1'
    })
  return file.text
    .split('\n')
    .map((line, index) => (line.trimStart().startsWith('#') ? line : replaced(line, index)))
    .join('\n')
}
