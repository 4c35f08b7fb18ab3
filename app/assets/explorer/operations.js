import { parse } from 'graphql';

/**
 * The operation to run: the wanted one, or the only one that the text holds. GraphiQL learns of a change of tab a
 * moment late and then still names an operation of the tab before.
 */
export function operationNameIn(query, wanted) {
  const names = operationNames(query);
  return names.length === 1 && names[0] !== wanted ? names[0] : (wanted ?? undefined);
}

// A text that cannot be parsed is sent as it is: the server's message says where it is wrong.
function operationNames(query) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
    return operations.map(({ name }) => name?.value);
  } catch {
    return [];
  }
}
