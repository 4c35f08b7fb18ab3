// Where GraphiQL keeps its state: localStorage, without anything that holds a token. GraphiQL writes the headers of
// each run into its history even when told not to persist headers, so they are taken out here. In a demo the tabs
// are not kept either: each load starts from variables that are valid now. Theme, panes and history are kept.

const PREFIX = 'graphiql:';
const HEADERS = ['headers', 'shouldPersistHeaders'];
const WORK = ['tabState', 'query', 'variables'];
const DEFAULTS = { [`${PREFIX}docExplorerFlex`]: '0.28' }; // The pane beside the editors, as a share of their width.
const HISTORY = { [`${PREFIX}queries`]: 'queries', [`${PREFIX}favorites`]: 'favorites' };

/**
 * A store for GraphiQL over localStorage.
 * `headers` is the headers text that history entries get when they are read back.
 */
export function pageStorage({ keepTabs, headers }) {
  const inMemory = new Set([...HEADERS, ...(keepTabs ? [] : WORK)].map((name) => PREFIX + name));
  const memory = new Map();
  for (const key of inMemory) localStorage.removeItem(key);

  return {
    getItem(key) {
      if (inMemory.has(key)) return memory.get(key) ?? null;
      return withHeaders(key, localStorage.getItem(key), headers) ?? DEFAULTS[key] ?? null;
    },
    setItem(key, value) {
      if (inMemory.has(key)) memory.set(key, value);
      else localStorage.setItem(key, withHeaders(key, value, undefined));
    },
    removeItem(key) {
      if (inMemory.has(key)) memory.delete(key);
      else localStorage.removeItem(key);
    },
    get length() {
      return ownKeys().length;
    },
    clear() {
      memory.clear();
      ownKeys().forEach((key) => localStorage.removeItem(key));
    },
  };
}

export function hasStoredTabs(storage) {
  return storage.getItem(`${PREFIX}tabState`) !== null;
}

// A history value with the same headers in each entry; undefined takes them out. Other values pass as they are.
function withHeaders(key, value, headers) {
  const list = HISTORY[key];
  if (!list || value === null) return value;
  const stored = JSON.parse(value);
  return JSON.stringify({ ...stored, [list]: stored[list].map((entry) => ({ ...entry, headers })) });
}

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}
