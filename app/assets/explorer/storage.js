// Where GraphiQL keeps its state. Headers are never kept: they hold tokens. In a demo the tabs are not kept either,
// so that each load starts from variables that are valid now. Theme, panes and history are kept.

const PREFIX = 'graphiql:';
const HEADERS = ['headers', 'shouldPersistHeaders'];
const WORK = ['tabState', 'query', 'variables'];

/** A store for GraphiQL over localStorage that holds some keys in memory only. */
export function pageStorage({ keepTabs }) {
  const inMemory = new Set([...HEADERS, ...(keepTabs ? [] : WORK)].map((name) => PREFIX + name));
  const memory = new Map();
  for (const key of inMemory) localStorage.removeItem(key);

  return {
    getItem: (key) => (inMemory.has(key) ? (memory.get(key) ?? null) : localStorage.getItem(key)),
    setItem: (key, value) => (inMemory.has(key) ? memory.set(key, value) : localStorage.setItem(key, value)),
    removeItem: (key) => (inMemory.has(key) ? memory.delete(key) : localStorage.removeItem(key)),
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

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}
