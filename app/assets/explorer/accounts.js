// What a tab holds for one demo account: its text, its variables, its Authorization header.

/** The stored operation under a comment that says what it shows; GraphiQL labels the tab by operation name. */
export function tabText(tab) {
  return `# ${tab.title}\n${tab.query}`;
}

/** The variables of a tab that are valid for this account. */
export function variablesFor(tab, account) {
  return account?.variables[tab.title] ?? tab.variables;
}

/** The headers editor's text for this account; none outside demo mode. */
export function authorization(account) {
  return account ? JSON.stringify({ Authorization: `Bearer ${account.token}` }, null, 2) : undefined;
}

/** The headers with another demo account's token changed to this account's; headers typed by hand stay as they are. */
export function headersFollowing(text, accounts, account) {
  const other = accounts.find(({ token }) => token !== account.token && text.includes(token));
  return other ? text.replaceAll(other.token, account.token) : text;
}

/** This account's variables where another account's defaults still stand; edited variables stay as they are. */
export function variablesFollowing(text, operationName, { tabs, accounts, account }) {
  const tab = tabs.find(({ query }) => operationNameOf(query) === operationName);
  const isUntouched = tab && accounts.some((one) => variablesFor(tab, one) === text);
  return isUntouched ? variablesFor(tab, account) : text;
}

function operationNameOf(query) {
  return /^\s*(?:query|mutation)\s+(\w+)/m.exec(query)?.[1];
}
