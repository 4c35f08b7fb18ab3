import { operationNameIn } from './operations.js';

/**
 * The request of the open tab as a shell command.
 * Throws SyntaxError when the variables or headers are not JSON.
 */
export function curlCommand(url, { query, operationName, variables, headers }) {
  const body = { query, operationName: operationNameIn(query, operationName), variables: parsed(variables) };
  const lines = [
    `curl ${quoted(url)}`,
    ...Object.entries({ 'Content-Type': 'application/json', ...parsed(headers) }).map(
      ([name, value]) => `-H ${quoted(`${name}: ${value}`)}`,
    ),
    `--data-raw ${quoted(JSON.stringify(body))}`,
  ];
  return lines.join(' \\\n  ');
}

function parsed(text) {
  return text?.trim() ? JSON.parse(text) : undefined;
}

// Inside single quotes a POSIX shell changes nothing; a quote itself is written outside them.
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
